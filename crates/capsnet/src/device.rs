//! Choosing where a model runs.
//!
//! The CPU backend is always there. GPU backends are cargo features of this crate (`wgpu`, `vulkan`, `metal`, `cuda`,
//! `rocm`), off by default because they multiply the build time.

use burn::prelude::Device;

/// A device name that this build doesn't know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{name}`; this build knows {}. GPU devices are cargo features (`cargo run --release --features wgpu`)", known_devices().join(", "))]
pub struct UnknownDevice {
    /// The name asked for.
    pub name: String,
}

/// The names that [`device`] takes in this build.
pub fn known_devices() -> Vec<&'static str> {
    vec![
        "cpu",
        #[cfg(feature = "wgpu")]
        "wgpu",
        #[cfg(feature = "vulkan")]
        "vulkan",
        #[cfg(feature = "metal")]
        "metal",
        #[cfg(feature = "cuda")]
        "cuda",
        #[cfg(feature = "rocm")]
        "rocm",
    ]
}

/// The device of the given name, without autodiff.
///
/// # Errors
///
/// If this build doesn't know the name; the message lists those it does.
pub fn device(name: &str) -> Result<Device, UnknownDevice> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(0)),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(Device::rocm(0)),
        _ => Err(UnknownDevice { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_but_no_other_is_a_device() {
        assert!(device("cpu").is_ok());
        let message = device("abacus").unwrap_err().to_string();
        assert!(message.contains("abacus") && message.contains("cpu"), "{message}");
    }
}
