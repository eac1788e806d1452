//! Choosing where a model runs: `cpu`, or a GPU as `cuda` or `cuda:1`.
//!
//! The CPU backend is always there. GPU backends are cargo features of this crate (`wgpu`, `vulkan`, `metal`, `cuda`,
//! `rocm`), off by default because they multiply the build time. A GPU that isn't there is an error: the machine is
//! asked before the backend is, which would panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::prelude::Device;

/// The CPU's name.
const CPU: &str = "cpu";

/// Worker threads that may be asked for: four a core, and 256 on any machine. More would take long to start and be of
/// no use.
pub fn max_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_mul(4).max(256)
}

/// Worker threads where nobody says how many: one a core.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Why the worker threads can't be started.
#[derive(Debug, thiserror::Error)]
pub enum ThreadsError {
    /// More than [`max_threads`].
    #[error("{threads} are too many; at most {most} are started on this machine")]
    TooMany {
        /// How many were asked for.
        threads: usize,
        /// How many there may be.
        most: usize,
    },
    /// The system has none to give, or they were started before.
    #[error("can't start the worker threads")]
    Pool(#[from] rayon::ThreadPoolBuildError),
}

/// Starts the process's worker threads, 0 for as many as the machine has; may be called once, and need not be.
///
/// The calling thread is one of them: it takes part in the kernels that it calls instead of handing them over and going
/// to sleep, which costs more than the smallest of them.
///
/// # Errors
///
/// If they are too many, or were started before.
pub fn start_threads(threads: usize) -> Result<(), ThreadsError> {
    let most = max_threads();
    if threads > most {
        return Err(ThreadsError::TooMany { threads, most });
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    Ok(pool.use_current_thread().build_global()?)
}

/// Why a device can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// This build doesn't know the name.
    #[error(
        "unknown device `{name}`; this build knows {}. GPU devices are cargo features \
         (`cargo run --release --features wgpu`)",
        known_devices().join(", ")
    )]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// This build has the backend, but the machine has no such device.
    #[error("there is no device `{}` on this machine: {}; `--device list` shows what there is", .0.name, .0.reason)]
    Missing(Absent),
}

/// A device that this build could use, if the machine had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The name that [`device`] would take.
    pub name: String,
    /// What is there instead, and what is needed.
    pub reason: String,
}

/// A device of this machine that this build can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name that [`device`] takes, such as `cuda:0`.
    pub name: String,
    /// What the device calls itself.
    pub title: String,
}

/// A GPU backend of this build.
struct Backend {
    name: &'static str,
    /// What a machine needs for it.
    needs: &'static str,
    /// All of its devices on this machine; not one of them is opened by asking.
    devices: fn() -> Vec<Device>,
    /// The one that the backend prefers.
    default: fn() -> Device,
}

/// One entry for each cargo feature; the fields differ from one to the next in names only.
macro_rules! gpu_backends {
    ($($feature:literal, $kind:ident, $default:expr, $needs:literal;)*) => {
        &[$(
            #[cfg(feature = $feature)]
            Backend {
                name: $feature,
                needs: $needs,
                devices: || burn::tensor::Device::enumerate(burn::tensor::DeviceType::$kind).into_iter().collect(),
                default: || $default,
            },
        )*]
    };
}

const GPU_BACKENDS: &[Backend] = gpu_backends! {
    "wgpu", Wgpu, Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        "a driver for Vulkan, Metal, DirectX or OpenGL";
    "vulkan", Vulkan, Device::vulkan(burn::tensor::DeviceKind::DefaultDevice), "a driver for Vulkan";
    "metal", Metal, Device::metal(burn::tensor::DeviceKind::DefaultDevice), "macOS";
    "cuda", Cuda, Device::cuda(0), "an NVIDIA driver (libcuda)";
    "rocm", Rocm, Device::rocm(0), "AMD's ROCm";
};

/// The names that [`device`] takes in this build; those of GPUs also with a number, as `cuda:1`.
pub fn known_devices() -> Vec<&'static str> {
    let gpus = GPU_BACKENDS.iter().map(|backend| backend.name);
    [CPU].into_iter().chain(gpus).collect()
}

/// The device of the given name, without autodiff.
///
/// # Errors
///
/// If this build doesn't know the name, or the machine has no such device; the message lists what there is.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    if name == CPU {
        return Ok(Device::flex());
    }
    let unknown = || DeviceError::Unknown { name: name.to_owned() };
    let (kind, number) = match name.split_once(':') {
        Some((kind, number)) => (kind, Some(number.parse::<usize>().map_err(|_| unknown())?)),
        None => (name, None),
    };
    let backend = GPU_BACKENDS
        .iter()
        .find(|backend| backend.name == kind)
        .ok_or_else(unknown)?;
    let missing = |reason| {
        DeviceError::Missing(Absent {
            name: name.to_owned(),
            reason,
        })
    };
    let devices = backend.found().map_err(missing)?;
    let Some(number) = number else {
        return Ok((backend.default)());
    };
    let count = devices.len();
    devices
        .into_iter()
        .nth(number)
        .ok_or_else(|| missing(format!("{kind} has {count} here, numbered from 0")))
}

impl Backend {
    /// The devices of this machine, at least one.
    fn found(&self) -> Result<Vec<Device>, String> {
        let devices = without_panic(self.devices)?;
        if devices.is_empty() {
            return Err(format!("{} finds none; it needs {}", self.name, self.needs));
        }
        Ok(devices)
    }
}

/// What this build could use on this machine, the CPU first, and of each GPU backend that finds nothing why.
///
/// Opens every device.
pub fn found_devices() -> Vec<Result<Found, Absent>> {
    let mut found = vec![Ok(Found {
        name: CPU.to_owned(),
        title: format!("{}, {}", cores(), capsnet_kernels::instruction_set()),
    })];
    for backend in GPU_BACKENDS {
        match backend.found() {
            Err(reason) => found.push(Err(Absent {
                name: backend.name.to_owned(),
                reason,
            })),
            Ok(devices) => found.extend(devices.into_iter().enumerate().map(|(number, device)| {
                let name = format!("{}:{number}", backend.name);
                match without_panic(|| title(&device)) {
                    Ok(title) => Ok(Found { name, title }),
                    Err(reason) => Err(Absent { name, reason }),
                }
            })),
        }
    }
    found
}

/// The same as lines of text: a name and what it is, or why it isn't here.
pub fn found_devices_in_words() -> String {
    let line = |found| match found {
        Ok(Found { name, title }) => format!("{name:<10} {title}"),
        Err(Absent { name, reason }) => format!("{name:<10} not here: {reason}"),
    };
    let mut lines: Vec<String> = found_devices().into_iter().map(line).collect();
    if known_devices().len() == 1 {
        let none = "This build has no GPU devices; they are cargo features: wgpu, vulkan, metal, cuda, rocm";
        lines.push(none.to_owned());
    }
    lines.join("\n")
}

fn cores() -> String {
    match std::thread::available_parallelism() {
        Ok(number) if number.get() == 1 => "1 core".to_owned(),
        Ok(number) => format!("{number} cores"),
        Err(_) => "some cores".to_owned(),
    }
}

/// What a device calls itself.
#[cfg(feature = "gpu")]
fn title(device: &Device) -> String {
    match device.identity() {
        Some(identity) if identity.physical.is_none() => format!("{} (in software)", identity.name),
        Some(identity) => identity.name,
        None => format!("{device:?}"),
    }
}

/// There is nothing to ask in a build without GPU backends.
#[cfg(not(feature = "gpu"))]
fn title(device: &Device) -> String {
    format!("{device:?}")
}

/// Drivers that are half there make the backend panic; that becomes an error.
fn without_panic<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("its driver failed: {}", message.unwrap_or("it says nothing more"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_but_no_other_is_a_device() {
        assert!(device("cpu").is_ok());
        for name in ["abacus", "cpu:0", "cuda:first", ""] {
            let message = device(name).unwrap_err().to_string();
            assert!(
                message.contains(&format!("`{name}`")) && message.contains("cpu"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_found_can_be_had_by_its_name() {
        let found = found_devices();
        let cpu = found[0].as_ref().unwrap();
        assert_eq!(cpu.name, "cpu");
        for found in found.into_iter().flatten() {
            assert!(device(&found.name).is_ok(), "{found:?}");
        }
    }

    #[test]
    fn a_driver_that_panics_is_an_error() {
        let error = without_panic(|| panic!("no such library"))
            .map(|(): ()| ())
            .unwrap_err();
        assert_eq!(error, "its driver failed: no such library");
    }
}
