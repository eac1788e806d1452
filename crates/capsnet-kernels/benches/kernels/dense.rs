//! The decoder's layers: 160 -> 512 -> 1024 -> 784.

use capsnet_kernels::{Activation, Dense, DenseGradients};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

/// One layer and what it reads and writes.
struct Layer {
    dense: Dense,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
}

fn decoder(batch: usize) -> Vec<Layer> {
    let sizes = [
        (160, 512, Activation::Relu),
        (512, 1024, Activation::Relu),
        (1024, 784, Activation::Sigmoid),
    ];
    let layer = |(inputs, outputs, activation): (usize, usize, Activation)| Layer {
        dense: Dense::new(batch, inputs, outputs, activation).expect("a possible shape"),
        x: noise(1, batch * inputs).map(|v| v.max(0.0)).collect(),
        w: noise(2, inputs * outputs).map(|v| 0.05 * v).collect(),
        bias: vec![0.1; outputs],
        y: vec![0.0; batch * outputs],
    };
    sizes.into_iter().map(layer).collect()
}

#[divan::bench(args = BATCHES)]
fn forward(bencher: Bencher, batch: usize) {
    let mut layers = decoder(batch);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for layer in &mut layers {
            let Layer { dense, x, w, bias, y } = layer;
            dense.forward(x, w, Some(bias), y).expect("slices of the shape");
        }
    });
}

/// The gradients of inputs, weights and biases.
#[divan::bench(args = BATCHES)]
fn backward(bencher: Bencher, batch: usize) {
    let mut layers = decoder(batch);
    let mut gradients: Vec<_> = layers
        .iter_mut()
        .map(|layer| {
            let Layer { dense, x, w, bias, y } = layer;
            dense.forward(x, w, Some(bias), y).expect("slices of the shape");
            let dy: Vec<f32> = noise(3, y.len()).collect();
            (dy, vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; bias.len()])
        })
        .collect();
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for (layer, (dy, dx, dw, db)) in layers.iter().zip(&mut gradients) {
            let wanted = DenseGradients {
                dx: Some(dx),
                dw: Some(dw),
                db: Some(db),
            };
            let done = layer.dense.backward(&layer.x, &layer.w, &layer.y, dy, wanted);
            done.expect("slices of the shape");
        }
    });
}
