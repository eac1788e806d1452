//! The CapsNet's second convolution: 256 -> 256 channels, 9x9, stride 2, 20x20 -> 6x6 pixels.

use capsnet_kernels::{Algorithm, Conv2d, ConvShape};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

/// A planned convolution and everything that its passes read and write.
struct Case {
    conv: Conv2d,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    dx: Vec<f32>,
    dw: Vec<f32>,
    db: Vec<f32>,
}

impl Case {
    fn new(batch: usize) -> Self {
        let shape = ConvShape::square(batch, [256, 256], [20, 20], 9, 2);
        Self {
            conv: Conv2d::new(shape, Algorithm::Auto).expect("a possible shape"),
            x: noise(1, shape.input_len()).iter().map(|v| v.max(0.0)).collect(),
            w: noise(2, shape.weight_len()).iter().map(|v| v * 0.007).collect(),
            bias: vec![0.1; shape.out_channels],
            y: vec![0.0; shape.output_len()],
            dy: noise(3, shape.output_len()),
            dx: vec![0.0; shape.input_len()],
            dw: vec![0.0; shape.weight_len()],
            db: vec![0.0; shape.out_channels],
        }
    }
}

/// Bias and ReLU included.
#[divan::bench(args = BATCHES)]
fn forward(bencher: Bencher, batch: usize) {
    let mut case = Case::new(batch);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        let Case {
            conv, x, w, bias, y, ..
        } = &mut case;
        conv.forward(x, w, Some(bias), true, y)
    });
}

#[divan::bench(args = BATCHES)]
fn backward_data(bencher: Bencher, batch: usize) {
    let mut case = Case::new(batch);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        let Case { conv, w, dy, dx, .. } = &mut case;
        conv.backward_data(w, None, dy, dx)
    });
}

/// The bias's gradient included.
#[divan::bench(args = BATCHES)]
fn backward_weight(bencher: Bencher, batch: usize) {
    let mut case = Case::new(batch);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        let Case {
            conv, x, dy, dw, db, ..
        } = &mut case;
        conv.backward_weight(x, None, dy, dw, Some(db))
    });
}
