//! What a training takes of the machine's memory, and what there is: told before anything is made.

use std::fs;
use std::path::Path;

use burn::prelude::*;

use crate::Error;
use crate::model::{Architecture, Input, Network};
use crate::observe::{AnyRank, Observer};
use crate::train::TrainConfig;
use crate::weights::Named;

/// Bytes of a parameter in training: itself, its gradient and two moments.
const BYTES_A_PARAMETER: u64 = 4 * 4;
/// Bytes of an activation in training: itself and its gradient.
const BYTES_AN_ACTIVATION: u64 = 2 * 4;
/// Of larger networks no activations are counted, for which one has to be made.
const SMALL: u64 = 50_000_000;

/// What a training takes at least; in truth it is more, by what is only there for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Values that are trained.
    pub parameters: u64,
    /// Values that the layers of a batch of images have; 0 where they weren't counted.
    pub activations: u64,
}

impl Estimate {
    /// Of a training on batches of so many images, at most `images` of them.
    pub fn of<A: Architecture>(config: &TrainConfig<A>, images: usize) -> Self {
        let device = Device::flex();
        // Its weights are drawn when they are first looked at.
        let network = config.model.init(&device);
        let parameters = network.trainable() as u64;
        let batch = config.batch_size.min(images) as u64;
        let activations = if parameters <= SMALL {
            batch.saturating_mul(activations(&network, config.model.input(), &device))
        } else {
            0
        };
        Self {
            parameters,
            activations,
        }
    }

    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        let parameters = self.parameters.saturating_mul(BYTES_A_PARAMETER);
        parameters.saturating_add(self.activations.saturating_mul(BYTES_AN_ACTIVATION))
    }
}

/// Values that the layers make of one image.
fn activations(network: &impl Network, input: Input, device: &Device) -> u64 {
    let image = input.image;
    let image = Tensor::zeros([1, image.channels, image.height, image.width], device);
    let mut count = Count(0);
    network.forward_observed(image, &mut count);
    count.0
}

struct Count(u64);

impl Observer for Count {
    fn see(&mut self, _layer: &str, activation: &dyn AnyRank) {
        self.0 += activation.sizes().iter().product::<usize>() as u64;
    }
}

/// Checks that a training on the CPU can fit into the memory that is free now.
///
/// # Errors
///
/// If it needs more; with both figures.
pub fn check_memory<A: Architecture>(config: &TrainConfig<A>, images: usize) -> Result<(), Error> {
    let estimate = Estimate::of(config, images);
    match available() {
        Some(available) if estimate.bytes() > available => Err(Error::Memory {
            model: config.model.name(),
            estimate,
            available,
        }),
        _ => Ok(()),
    }
}

/// Bytes that this process can still have, where the system says so: of the machine, of its control group, of its own
/// limit.
pub fn available() -> Option<u64> {
    [of_machine(), of_group(), of_process()].into_iter().flatten().min()
}

/// The most memory that this process has had resident, in units of 2^20 bytes, where the system says so.
pub fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(&status, "VmHWM:").map(|bytes| bytes as f64 / f64::from(1 << 20))
}

/// Free memory and swap; Linux.
fn of_machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some(kilobytes(&text, "MemAvailable:")?.saturating_add(kilobytes(&text, "SwapFree:").unwrap_or(0)))
}

/// What a container leaves; the second version of Linux' control groups.
fn of_group() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = Path::new("/sys/fs/cgroup").join(group);
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    // "max" is no number.
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}

/// What `ulimit -v` leaves; Linux.
fn of_process() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(limit.saturating_sub(kilobytes(&status, "VmSize:")?))
}

/// The value of a line "Name:   1234 kB", in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// "43.2 GB", in thousands.
pub(crate) fn gigabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CapsNetConfig, LeNet5Config, ModelConfig};

    /// LeNet-5: 6 x 12 x 12 and 16 x 4 x 4 after pooling, 120, 84, 10.
    #[test]
    fn parameters_and_activations_are_counted() {
        let config = TrainConfig {
            batch_size: 50,
            ..TrainConfig::for_model(LeNet5Config::default())
        };
        let estimate = Estimate::of(&config, 1000);
        assert_eq!(estimate.parameters, 44_426);
        let image = estimate.activations / 50;
        assert!(image >= 6 * 12 * 12 + 16 * 4 * 4 + 120 + 84 + 10, "{image}");
        assert_eq!(Estimate::of(&config, 20).activations, 20 * image);
    }

    #[test]
    fn a_network_that_fits_no_machine_is_refused_before_it_is_made() {
        let model = ModelConfig::CapsNet(CapsNetConfig {
            conv_channels: 4096,
            primary_maps: 4096,
            ..CapsNetConfig::paper()
        });
        let config = TrainConfig::for_model(model);
        let estimate = Estimate::of(&config, 128);
        // The second convolution alone: 4096 x 8 channels of 4096 x 9 x 9.
        assert!(estimate.parameters > 4096 * 8 * 4096 * 81);
        assert!(estimate.bytes() > 160_000_000_000, "{estimate:?}");
        if let Some(available) = available().filter(|&available| available < estimate.bytes()) {
            let error = check_memory(&config, 128).unwrap_err().to_string();
            assert!(
                error.contains("capsnet") && error.contains(&gigabytes(estimate.bytes())),
                "{error}"
            );
            assert!(available > 0);
        }
    }

    #[test]
    fn figures_are_read_and_written() {
        assert_eq!(kilobytes("A: 1 kB\nVmSize:\t  12 kB\n", "VmSize:"), Some(12 * 1024));
        assert_eq!(kilobytes("VmSize: many kB\n", "VmSize:"), None);
        assert_eq!(gigabytes(43_200_000_000), "43.2 GB");
        assert_eq!(gigabytes(1), "1 MB");
        if cfg!(target_os = "linux") {
            assert!(available().is_some());
            assert!(peak_megabytes().is_some_and(|peak| peak > 1.0));
        }
    }
}
