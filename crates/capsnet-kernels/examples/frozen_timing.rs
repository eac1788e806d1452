//! Times the CapsNet's second convolution (256 -> 256 channels, 9x9, stride 2, 20x20 -> 6x6) by weights that were transformed before.
//!
//! ```text
//! cargo run --release -p capsnet-kernels --example frozen_timing [THREADS] [SECONDS]
//! ```
//!
//! Prints minimum and median milliseconds for some batches, beside the convolution that transforms its weights in every call.

mod timing;

use capsnet_kernels::{Algorithm, Conv2d, ConvShape, FrozenConv2d, KernelError, instruction_set};
use std::time::{Duration, Instant};
use timing::{noise, sorted_times};

fn main() -> Result<(), KernelError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(2);
    let seconds = arguments.get(1).and_then(|a| a.parse().ok()).unwrap_or(2.0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a thread pool");
    println!("{threads} threads, {}", instruction_set());
    pool.install(|| time(Duration::from_secs_f64(seconds)))
}

fn time(budget: Duration) -> Result<(), KernelError> {
    let of = |batch| ConvShape::square(batch, [256, 256], [20, 20], 9, 2);
    let w: Vec<f32> = noise(2, of(1).weight_len()).map(|v| v * 0.007).collect();
    let bias = vec![0.1; 256];
    let start = Instant::now();
    let frozen = FrozenConv2d::new(of(1), &w, Some(&bias), true)?;
    println!("weights transformed in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    println!(
        "{:>5} {:>9} {:>9} {:>12} {:>12}",
        "batch", "min ms", "median ms", "anew min", "anew median"
    );
    for batch in [1, 2, 3, 4, 5, 6, 8] {
        let shape = of(batch);
        let x: Vec<f32> = noise(1, shape.input_len()).map(|v| v.max(0.0)).collect();
        let mut y = vec![0.0; shape.output_len()];
        let once = sorted_times(budget, || frozen.forward(&x, &mut y))?;
        let conv = Conv2d::new(shape, Algorithm::Auto)?;
        let anew = sorted_times(budget, || conv.forward(&x, &w, Some(&bias), true, &mut y))?;
        let ms = |times: &[f64]| (times[0] * 1e3, times[times.len() / 2] * 1e3);
        let ((min, median), (anew_min, anew_median)) = (ms(&once), ms(&anew));
        println!("{batch:5} {min:9.2} {median:9.2} {anew_min:12.2} {anew_median:12.2}");
    }
    Ok(())
}
