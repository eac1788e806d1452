//! The loss of a classifier of ten classes, with its gradient.

use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

#[divan::bench(args = BATCHES)]
fn with_gradient(bencher: Bencher, batch: usize) {
    let x: Vec<f32> = noise(1, batch * 10).collect();
    let classes: Vec<i64> = (0..batch as i64).map(|i| i % 10).collect();
    let mut dx = vec![0.0; x.len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| capsnet_kernels::cross_entropy(&x, &classes, Some(&mut dx)));
}
