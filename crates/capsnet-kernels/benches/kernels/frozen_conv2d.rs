//! The CapsNet's second convolution by weights that were transformed before: 256 -> 256 channels, 20x20 -> 6x6 pixels.

use capsnet_kernels::{ConvShape, FrozenConv2d};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::noise;

fn frozen() -> (ConvShape, FrozenConv2d) {
    let shape = ConvShape::square(1, [256, 256], [20, 20], 9, 2);
    let w: Vec<f32> = noise(2, shape.weight_len()).map(|v| v * 0.007).collect();
    let conv = FrozenConv2d::new(shape, &w, Some(&[0.1; 256]), true).expect("a possible shape");
    (shape, conv)
}

/// What is done once.
#[divan::bench]
fn transform_weights() -> FrozenConv2d {
    frozen().1
}

/// Bias and ReLU included. `predict` computes up to four images so, and more as [`conv2d`](crate::conv2d) does.
#[divan::bench(args = [1, 2, 3, 4, 5, 6, 8])]
fn forward(bencher: Bencher, batch: usize) {
    let (shape, conv) = frozen();
    let x: Vec<f32> = noise(1, batch * shape.input_len()).map(|v| v.max(0.0)).collect();
    let mut y = vec![0.0; batch * shape.output_len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| conv.forward(&x, &mut y));
}
