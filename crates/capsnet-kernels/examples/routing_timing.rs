//! Times forward and adjoint of the CapsNet's routing (1152 capsules of 8 to 10 of 16, three iterations).
//!
//! ```text
//! cargo run --release -p capsnet-kernels --example routing_timing [THREADS] [SECONDS_PER_PASS] [BATCH]
//! ```
//!
//! Prints minimum and median milliseconds.

use capsnet_kernels::{CouplingsOver, KernelError, RoutingShape, VoteRouting, instruction_set};
use std::time::{Duration, Instant};

fn main() -> Result<(), KernelError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(2);
    let seconds = arguments.get(1).and_then(|a| a.parse().ok()).unwrap_or(2.0);
    let batches = arguments
        .get(2)
        .and_then(|a| a.parse().ok())
        .map_or(vec![1, 8, 128], |batch| vec![batch]);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a thread pool");
    println!("{threads} threads, {}", instruction_set());
    println!(
        "{:>5} {:10} {:8} {:>9} {:>9}",
        "batch", "couplings", "pass", "min ms", "median ms"
    );
    for batch in batches {
        for couplings_over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
            pool.install(|| time(batch, couplings_over, Duration::from_secs_f64(seconds)))?;
        }
    }
    Ok(())
}

fn time(batch: usize, couplings_over: CouplingsOver, budget: Duration) -> Result<(), KernelError> {
    let shape = RoutingShape {
        batch,
        lower: 1152,
        lower_dimensions: 8,
        upper: 10,
        upper_dimensions: 16,
        iterations: 3,
        couplings_over,
    };
    let routing = VoteRouting::new(shape)?;
    let (u, w) = (noise(1, shape.lower_len()), noise(2, shape.weight_len()));
    let dv = noise(3, shape.upper_len());
    let (mut v, mut sums) = (vec![0.0; shape.upper_len()], vec![0.0; shape.sums_len()]);
    let (mut du, mut dw) = (vec![0.0; shape.lower_len()], vec![0.0; shape.weight_len()]);
    let forward = sorted_times(budget, || routing.forward(&u, &w, &mut v, Some(&mut sums)))?;
    let backward = sorted_times(budget, || routing.backward(&u, &w, &sums, &dv, &mut du, &mut dw))?;
    for (pass, times) in [("forward", forward), ("backward", backward)] {
        let (min, median) = (times[0] * 1e3, times[times.len() / 2] * 1e3);
        println!(
            "{batch:5} {:10} {pass:8} {min:9.2} {median:9.2}",
            format!("{couplings_over:?}")
        );
    }
    Ok(())
}

fn sorted_times(budget: Duration, mut pass: impl FnMut() -> Result<(), KernelError>) -> Result<Vec<f64>, KernelError> {
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

/// Reproducible numbers in -0.1..0.1 (a 64-bit linear congruential generator).
fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (10 << 23) as f32 - 0.1
    };
    std::iter::repeat_with(next).take(len).collect()
}
