//! The squash of primary capsules: 32 types of 8 dimensions over 6x6 pixels.

use capsnet_kernels::{squash_coordinates, squash_coordinates_backward};
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::{BATCHES, noise};

/// Dimensions and capsules.
const SAMPLE: [usize; 2] = [8, 1152];

#[divan::bench(args = BATCHES)]
fn forward(bencher: Bencher, batch: usize) {
    let [dimensions, capsules] = SAMPLE;
    let x: Vec<f32> = noise(1, batch * dimensions * capsules).collect();
    let mut u = vec![0.0; x.len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| squash_coordinates([batch, dimensions, capsules], &x, &mut u));
}

#[divan::bench(args = BATCHES)]
fn backward(bencher: Bencher, batch: usize) {
    let [dimensions, capsules] = SAMPLE;
    let x: Vec<f32> = noise(1, batch * dimensions * capsules).collect();
    let du: Vec<f32> = noise(2, x.len()).collect();
    let mut dx = vec![0.0; x.len()];
    bencher
        .counter(ItemsCount::new(batch))
        .bench_local(|| squash_coordinates_backward([batch, dimensions, capsules], &x, &du, &mut dx));
}
