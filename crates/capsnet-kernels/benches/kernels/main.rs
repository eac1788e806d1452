//! Times of the kernels at the sizes of the models, with two threads.
//!
//! ```text
//! cargo bench -p capsnet-kernels                   # everything
//! cargo bench -p capsnet-kernels -- conv2d         # one module
//! CAPSNET_SIMD=portable cargo bench -p capsnet-kernels
//! ```
//!
//! One module a kernel. Arguments end in the batch size, and items are images (Adam's are weights). The figures to
//! compare are those of the fastest sample: the others tell how busy the machine was.

mod adam;
mod conv2d;
mod conv_block;
mod dense;
mod frozen_conv2d;
mod losses;
mod routing;
mod squash;

/// Batch sizes: one image, a small batch, a training step's.
const BATCHES: [usize; 3] = [1, 8, 128];

/// Threads of the pool that the kernels run on.
const THREADS: usize = 2;

fn main() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(THREADS)
        .build_global()
        .expect("a thread pool");
    println!("{THREADS} threads, {}", capsnet_kernels::instruction_set());
    divan::main();
}

/// Reproducible numbers in -1..1 (a 64-bit linear congruential generator).
fn noise(seed: u64, len: usize) -> impl Iterator<Item = f32> {
    let mut state = seed;
    let next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(len)
}
