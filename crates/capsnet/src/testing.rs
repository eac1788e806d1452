//! Numbers for tests: noise, but the same in every run.
//!
//! A device's own generator is shared by all tests of a program, which run beside each other: what a test would get of
//! it differs from run to run, seeded or not. A test that one start in fifty thousand breaks is found by somebody else.

use burn::module::{ModuleMapper, Param};
use burn::prelude::*;
use capsnet_data::random::Seed;
use rand_distr::{Distribution, StandardNormal};

/// Standard normal noise of a shape.
pub(crate) fn normal<const N: usize>(shape: [usize; N], seed: u64, device: &Device) -> Tensor<N> {
    let values: Vec<f32> = StandardNormal
        .sample_iter(Seed(seed).stream("test", 0, 0))
        .take(shape.iter().product())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The module with weights of normal noise with the deviation `std`, in place of those that its initialiser drew.
pub(crate) fn settled<M: Module>(module: M, std: f64, seed: u64) -> M {
    module.map(&mut Settle { std, seed })
}

struct Settle {
    std: f64,
    seed: u64,
}

impl ModuleMapper for Settle {
    fn map_float<const N: usize>(&mut self, parameter: Param<Tensor<N>>) -> Param<Tensor<N>> {
        self.seed += 1;
        let (std, seed) = (self.std, self.seed);
        parameter.map(|old| {
            let new = normal(old.dims(), seed, &old.device()) * std;
            if old.is_require_grad() { new.require_grad() } else { new }
        })
    }
}
