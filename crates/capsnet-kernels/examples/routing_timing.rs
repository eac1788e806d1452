//! Times forward and adjoint of the CapsNet's routing (1152 capsules of 8 to 10 of 16, three iterations).
//!
//! ```text
//! cargo run --release -p capsnet-kernels --example routing_timing [THREADS] [SECONDS_PER_PASS] [BATCH]
//! ```
//!
//! Prints minimum and median milliseconds.

mod timing;

use capsnet_kernels::{CouplingsOver, KernelError, RoutingShape, VoteRouting, instruction_set};
use std::time::Duration;
use timing::{noise, sorted_times};

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
    let small = |seed, len| -> Vec<f32> { noise(seed, len).map(|v| 0.1 * v).collect() };
    let (u, w) = (small(1, shape.lower_len()), small(2, shape.weight_len()));
    let dv = small(3, shape.upper_len());
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
