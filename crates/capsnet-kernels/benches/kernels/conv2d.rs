//! The CapsNet's convolutions, and the smaller ones of the kernel-size ablation.

use std::fmt::{Display, Formatter};

use capsnet_kernels::{Algorithm, Conv2d, ConvShape};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::noise;

/// Which convolution, computed how.
#[derive(Clone, Copy)]
struct Plan {
    /// In, out.
    channels: [usize; 2],
    /// Pixels along a side of the image.
    side: usize,
    kernel: usize,
    stride: usize,
    algorithm: Algorithm,
    batch: usize,
}

impl Plan {
    /// 1 -> 256 channels, 28x28 -> 20x20 pixels.
    const fn first(batch: usize) -> Self {
        Self {
            channels: [1, 256],
            side: 28,
            kernel: 9,
            stride: 1,
            algorithm: Algorithm::Auto,
            batch,
        }
    }

    /// 256 -> 256 channels, 20x20 -> 6x6 pixels: where the time goes.
    const fn second(algorithm: Algorithm, batch: usize) -> Self {
        Self {
            channels: [256, 256],
            side: 20,
            kernel: 9,
            stride: 2,
            algorithm,
            batch,
        }
    }

    /// One of Efficient-CapsNet's.
    const fn of_efficient(channels: [usize; 2], side: usize, stride: usize, algorithm: Algorithm) -> Self {
        Self {
            channels,
            side,
            kernel: 3,
            stride,
            algorithm,
            batch: 16,
        }
    }

    /// The second of a network whose kernels are smaller.
    const fn second_of(kernel: usize, algorithm: Algorithm, batch: usize) -> Self {
        Self {
            side: 29 - kernel,
            kernel,
            ..Self::second(algorithm, batch)
        }
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let [from, to] = self.channels;
        let algorithm = match self.algorithm {
            Algorithm::Auto => "auto",
            Algorithm::Direct => "direct",
            Algorithm::ToomCook => "Toom-Cook",
            Algorithm::Winograd => "Winograd",
        };
        write!(f, "{}x{0}, {from}->{to}, {algorithm}, {}", self.kernel, self.batch)
    }
}

const PLANS: [Plan; 19] = [
    Plan::second(Algorithm::Auto, 1),
    Plan::second(Algorithm::Auto, 8),
    Plan::second(Algorithm::Auto, 128),
    Plan::second(Algorithm::ToomCook, 1),
    Plan::second(Algorithm::Direct, 1),
    Plan::second(Algorithm::Direct, 8),
    Plan::second(Algorithm::Direct, 128),
    Plan::first(1),
    Plan::first(8),
    Plan::first(128),
    Plan::second_of(7, Algorithm::Auto, 32),
    Plan::second_of(7, Algorithm::Direct, 32),
    Plan::second_of(5, Algorithm::Auto, 32),
    Plan::second_of(5, Algorithm::Direct, 32),
    Plan::of_efficient([32, 64], 24, 1, Algorithm::Auto),
    Plan::of_efficient([32, 64], 24, 1, Algorithm::Direct),
    Plan::of_efficient([64, 64], 22, 1, Algorithm::Auto),
    Plan::of_efficient([64, 64], 22, 1, Algorithm::Direct),
    Plan::of_efficient([64, 128], 20, 2, Algorithm::Auto),
];

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
    fn new(plan: Plan) -> Self {
        let shape = ConvShape::square(plan.batch, plan.channels, [plan.side; 2], plan.kernel, plan.stride);
        Self {
            conv: Conv2d::new(shape, plan.algorithm).expect("a possible shape"),
            x: noise(1, shape.input_len()).map(|v| v.max(0.0)).collect(),
            w: noise(2, shape.weight_len()).map(|v| v * 0.007).collect(),
            bias: vec![0.1; shape.out_channels],
            y: vec![0.0; shape.output_len()],
            dy: noise(3, shape.output_len()).collect(),
            dx: vec![0.0; shape.input_len()],
            dw: vec![0.0; shape.weight_len()],
            db: vec![0.0; shape.out_channels],
        }
    }
}

/// Bias and ReLU included.
#[divan::bench(args = PLANS)]
fn forward(bencher: Bencher, plan: Plan) {
    let mut case = Case::new(plan);
    bencher.counter(ItemsCount::new(plan.batch)).bench_local(|| {
        let Case {
            conv, x, w, bias, y, ..
        } = &mut case;
        conv.forward(x, w, Some(bias), true, y)
    });
}

#[divan::bench(args = PLANS)]
fn backward_data(bencher: Bencher, plan: Plan) {
    let mut case = Case::new(plan);
    bencher.counter(ItemsCount::new(plan.batch)).bench_local(|| {
        let Case { conv, w, dy, dx, .. } = &mut case;
        conv.backward_data(w, None, dy, dx)
    });
}

/// The bias's gradient included.
#[divan::bench(args = PLANS)]
fn backward_weight(bencher: Bencher, plan: Plan) {
    let mut case = Case::new(plan);
    bencher.counter(ItemsCount::new(plan.batch)).bench_local(|| {
        let Case {
            conv, x, dy, dw, db, ..
        } = &mut case;
        conv.backward_weight(x, None, dy, dw, Some(db))
    });
}
