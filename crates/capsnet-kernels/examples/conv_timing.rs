//! Times the three passes of the CapsNet's convolutions: the second (256 -> 256 channels, 9x9, stride 2, 20x20 -> 6x6) or, with
//! `first`, the first (1 -> 256 channels, 9x9, stride 1, 28x28 -> 20x20, with its ReLU).
//!
//! ```text
//! cargo run --release -p capsnet-kernels --example conv_timing [THREADS] [SECONDS_PER_PASS] [auto|direct|toomcook] [BATCH] [first]
//! ```
//!
//! Prints minimum and median milliseconds, and the rate that a direct convolution would need to be as fast.

mod timing;

use capsnet_kernels::{Algorithm, Conv2d, ConvShape, KernelError, Pass, instruction_set};
use std::time::Duration;
use timing::{noise, sorted_times};

fn main() -> Result<(), KernelError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(2);
    let seconds = arguments.get(1).and_then(|a| a.parse().ok()).unwrap_or(2.0);
    let algorithm = match arguments.get(2).map(String::as_str) {
        Some("direct") => Algorithm::Direct,
        Some("toomcook") => Algorithm::ToomCook,
        _ => Algorithm::Auto,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a thread pool");
    println!("{threads} threads, {}", instruction_set());
    println!(
        "{:>5} {:9} {:15} {:>9} {:>9} {:>9}",
        "batch", "algorithm", "pass", "min ms", "median ms", "GFLOP/s"
    );
    let batches = arguments
        .get(3)
        .and_then(|a| a.parse().ok())
        .map_or(vec![1, 8, 128], |batch| vec![batch]);
    let first = arguments.get(4).is_some_and(|a| a == "first");
    for batch in batches {
        let shape = if first {
            ConvShape::square(batch, [1, 256], [28, 28], 9, 1)
        } else {
            ConvShape::square(batch, [256, 256], [20, 20], 9, 2)
        };
        pool.install(|| time(shape, first, algorithm, Duration::from_secs_f64(seconds)))?;
    }
    Ok(())
}

fn time(shape: ConvShape, rectified: bool, algorithm: Algorithm, budget: Duration) -> Result<(), KernelError> {
    let batch = shape.batch;
    let conv = Conv2d::new(shape, algorithm)?;
    let x: Vec<f32> = noise(1, shape.input_len()).map(|v| v.max(0.0)).collect();
    let w: Vec<f32> = noise(2, shape.weight_len()).map(|v| v * 0.007).collect();
    let dy: Vec<f32> = noise(3, shape.output_len()).collect();
    let bias = vec![0.1; shape.out_channels];
    let (mut y, mut dx) = (vec![0.0; shape.output_len()], vec![0.0; shape.input_len()]);
    let (mut dw, mut db) = (vec![0.0; shape.weight_len()], vec![0.0; shape.out_channels]);

    let report = |name: &str, pass: Pass, times: Vec<f64>| {
        let rate = 2e-9 * shape.direct_macs() / times[0];
        let (min, median) = (times[0] * 1e3, times[times.len() / 2] * 1e3);
        println!(
            "{batch:5} {:9} {name:15} {min:9.2} {median:9.2} {rate:9.1}",
            format!("{:?}", conv.algorithm(pass))
        );
    };
    report(
        "forward",
        Pass::Forward,
        sorted_times(budget, || conv.forward(&x, &w, Some(&bias), true, &mut y))?,
    );
    // Without its ReLU the second convolution's gradients need no outputs.
    let outputs = y.clone();
    let outputs = rectified.then_some(&outputs[..]);
    report(
        "backward data",
        Pass::BackwardData,
        sorted_times(budget, || conv.backward_data(&w, outputs, &dy, &mut dx))?,
    );
    report(
        "backward weight",
        Pass::BackwardWeight,
        sorted_times(budget, || {
            conv.backward_weight(&x, outputs, &dy, &mut dw, Some(&mut db))
        })?,
    );
    Ok(())
}
