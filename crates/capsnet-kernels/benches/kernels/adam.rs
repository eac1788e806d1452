//! Adam's update of as many weights as LeNet-5 and the CapsNet have.

use capsnet_kernels::AdamStep;
use divan::Bencher;
use divan::counter::ItemsCount;

use crate::noise;

#[divan::bench(args = [61_706, 8_215_568])]
fn apply(bencher: Bencher, parameters: usize) {
    let step = AdamStep::new(0.9, 0.999, 1e-8, 0.001, 1);
    let mut parameter: Vec<f32> = noise(1, parameters).collect();
    let gradient: Vec<f32> = noise(2, parameters).collect();
    let (mut first, mut second) = (vec![0.0; parameters], vec![0.0; parameters]);
    bencher
        .counter(ItemsCount::new(parameters))
        .bench_local(|| step.apply(&mut parameter, &gradient, &mut first, &mut second));
}
