//! The losses of ten classes, with their gradients.

use capsnet_kernels::Margins;
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

const CLASSES: usize = 10;

/// The true class of each sample.
fn classes(batch: usize) -> impl Iterator<Item = usize> {
    (0..batch).map(|sample| sample % CLASSES)
}

#[divan::bench(args = BATCHES)]
fn cross_entropy(bencher: Bencher, batch: usize) {
    let x: Vec<f32> = noise(1, batch * CLASSES).collect();
    let classes: Vec<i64> = classes(batch).map(|class| class as i64).collect();
    let mut dx = vec![0.0; x.len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| capsnet_kernels::cross_entropy(&x, &classes, Some(&mut dx)));
}

#[divan::bench(args = BATCHES)]
fn margin_loss(bencher: Bencher, batch: usize) {
    let lengths: Vec<f32> = noise(1, batch * CLASSES).map(f32::abs).collect();
    let mut truth = vec![0.0; lengths.len()];
    for (truth, class) in truth.chunks_mut(CLASSES).zip(classes(batch)) {
        truth[class] = 1.0;
    }
    let mut dx = vec![0.0; lengths.len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| capsnet_kernels::margin_loss(Margins::default(), batch, &lengths, &truth, Some(&mut dx)));
}
