//! What the examples that time kernels share.

use capsnet_kernels::KernelError;
use std::time::{Duration, Instant};

/// Seconds that each run took, in ascending order: as many runs as fit the budget, at least five, after one that isn't counted.
pub fn sorted_times(
    budget: Duration,
    mut pass: impl FnMut() -> Result<(), KernelError>,
) -> Result<Vec<f64>, KernelError> {
    pass()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || start.elapsed() < budget {
        let begin = Instant::now();
        pass()?;
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Reproducible numbers in -1..1 (a 64-bit linear congruential generator).
pub fn noise(seed: u64, len: usize) -> impl Iterator<Item = f32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    })
    .take(len)
}
