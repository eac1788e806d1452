//! LeNet-5's blocks of convolution, bias, ReLU and average pooling, 5x5 taps: 1 -> 6 channels of 32x32 pixels, 6 -> 16
//! of 14x14.

use capsnet_kernels::{ConvBlock, ConvBlockGradients, ConvShape};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

struct Case {
    block: ConvBlock,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    mask: Vec<u8>,
}

impl Case {
    fn new(batch: usize, channels: [usize; 2], side: usize) -> Self {
        let shape = ConvShape::square(batch, channels, [side; 2], 5, 1);
        let block = ConvBlock::new(shape).expect("a supported shape");
        Self {
            x: noise(1, shape.input_len()).collect(),
            w: noise(2, shape.weight_len()).map(|v| 0.2 * v).collect(),
            bias: vec![0.1; shape.out_channels],
            y: vec![0.0; block.output_len()],
            mask: vec![0; block.mask_len()],
            block,
        }
    }

    fn forward(&mut self) {
        self.block
            .forward(&self.x, &self.w, &self.bias, &mut self.y, Some(&mut self.mask))
            .expect("slices of the shape");
    }
}

fn blocks(batch: usize) -> [Case; 2] {
    [Case::new(batch, [1, 6], 32), Case::new(batch, [6, 16], 14)]
}

#[divan::bench(args = BATCHES)]
fn forward(bencher: Bencher, batch: usize) {
    let mut blocks = blocks(batch);
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| blocks.iter_mut().for_each(Case::forward));
}

/// The gradients of weights, biases and, for the second block, inputs.
#[divan::bench(args = BATCHES)]
fn backward(bencher: Bencher, batch: usize) {
    let mut blocks = blocks(batch);
    blocks.iter_mut().for_each(Case::forward);
    let mut gradients = blocks.each_ref().map(|case| {
        let dy: Vec<f32> = noise(3, case.y.len()).collect();
        (
            dy,
            vec![0.0; case.x.len()],
            vec![0.0; case.w.len()],
            vec![0.0; case.bias.len()],
        )
    });
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for (i, (case, (dy, dx, dw, db))) in blocks.iter().zip(&mut gradients).enumerate() {
            let wanted = ConvBlockGradients {
                x: (i > 0).then_some(&mut dx[..]),
                w: dw,
                bias: db,
            };
            let done = case.block.backward(&case.x, &case.w, &case.mask, dy, wanted);
            done.expect("slices of the shape");
        }
    });
}
