//! How long a step of training or of inference takes.

use std::time::Duration;

use serde::Serialize;

/// What a timed step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepMode {
    /// Loss, gradients and an update of the weights.
    Train,
    /// The predicted classes, and a decoder's pictures of them.
    Infer,
}

impl StepMode {
    /// Its name: "train".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Infer => "infer",
        }
    }
}

impl std::str::FromStr for StepMode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::Train, Self::Infer].into_iter().find(|mode| mode.name() == name);
        known.ok_or_else(|| "a step can `train` or `infer`".to_owned())
    }
}

/// The times of steps of a model on a machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepTimes {
    /// The model's name, as commands know it.
    pub model: String,
    /// What a step does.
    pub mode: StepMode,
    /// How the weights of inference are kept: "f32" or "bf16".
    pub precision: String,
    /// The model's trainable parameters.
    pub parameters: usize,
    /// The data set that the images are of.
    pub dataset: String,
    /// What is done to each image.
    pub augment: String,
    /// Images a step.
    pub batch_size: usize,
    /// What computes.
    pub device: String,
    /// Worker threads.
    pub threads: usize,
    /// The instruction set of the kernels.
    pub instruction_set: &'static str,
    /// The version of the library.
    pub version: &'static str,
    /// Steps before the clock ran.
    pub warmup: usize,
    /// Timed steps.
    pub steps: usize,
    /// Steps in a block that was timed as one.
    pub group: usize,
    /// Milliseconds a step, of the fastest block.
    pub min_ms: f64,
    /// Milliseconds a step, of the block in the middle.
    pub median_ms: f64,
    /// Images a second, at the median.
    pub images_per_s: f64,
    /// The most memory that the process has had, in units of 2^20 bytes, where the system says it.
    pub peak_rss_mb: Option<f64>,
    /// The loss of the very first step, warm-up included; none of inference.
    pub loss_first: Option<f64>,
    /// The loss of the last step.
    pub loss_last: Option<f64>,
    /// Where the time goes, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<StepProfile>,
}

/// The most that a machine was measured to do, by all threads together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MachinePeak {
    /// Worker threads.
    pub threads: usize,
    /// The instruction set.
    pub instruction_set: &'static str,
    /// Multiplications and additions of f32 in 10^9 a second, a fused multiply-add being two.
    pub f32_gflops: f64,
    /// The same of products of bfloat16 summed in f32, where the instruction set has them.
    pub bf16_gflops: Option<f64>,
    /// Reading memory that is in no cache, in 10^9 bytes a second.
    pub read_gb_per_s: f64,
}

/// Where the time of a step goes, as the mean of the timed steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepProfile {
    /// Milliseconds a step in all.
    pub step_ms: f64,
    /// Multiplications and additions that the definitions of layers and losses take in a step, in 10^9.
    pub gflop: f64,
    /// What the machine can do.
    pub peak: MachinePeak,
    /// Operations a second over the machine's peak in f32. Algorithms that need fewer products than the definition may
    /// come to more than 1.
    pub share_of_peak: f64,
    /// The kernels, the longest first; last what is no kernel of ours.
    pub lines: Vec<ProfileLine>,
}

/// One kernel's part of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileLine {
    /// Its name.
    pub name: String,
    /// "forward" or "backward"; none of what is no kernel of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<&'static str>,
    /// Calls a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<f64>,
    /// Milliseconds a step.
    pub ms: f64,
    /// Over the time of the step.
    pub share: f64,
    /// Operations of the definition in 10^9 a second, where products are most of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// These over the machine's peak in f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_peak: Option<f64>,
}

/// Milliseconds a step, of the fastest of some blocks of `group` steps each, and of the one in the middle.
///
/// ```
/// use std::time::Duration;
/// use capsnet_measure::bench::min_and_median_ms;
///
/// let blocks = [30, 10, 80, 20].map(Duration::from_millis);
/// assert_eq!(min_and_median_ms(&blocks, 10), [1.0, 2.5]);
/// assert_eq!(min_and_median_ms(&blocks[..3], 10), [1.0, 3.0]);
/// ```
///
/// # Panics
///
/// If there is no block.
#[must_use]
pub fn min_and_median_ms(blocks: &[Duration], group: usize) -> [f64; 2] {
    let of_a_step = |block: &Duration| block.as_secs_f64() * 1e3 / group as f64;
    let mut times: Vec<f64> = blocks.iter().map(of_a_step).collect();
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let median = match times.len().is_multiple_of(2) {
        true => (times[middle - 1] + times[middle]) / 2.0,
        false => times[middle],
    };
    [times[0], median]
}
