//! Where the time of this thread's work goes, kernel by kernel.
//!
//! Kernels are run by the thread that asks for an output or a gradient; the threads of the pool only help it. So what a
//! training step does is found on the thread that makes it, and other threads' work isn't mixed in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The way through a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From inputs to outputs.
    Forward,
    /// From the gradients of outputs to those of inputs and weights.
    Backward,
}

/// What one kernel was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// How often it ran.
    pub calls: u64,
    /// For how long in all.
    pub time: Duration,
    /// Multiplications and additions that the definition of what it computed takes, where products are most of it; a
    /// kernel may have found a way to fewer.
    pub operations: f64,
}

/// What this thread's kernels have taken, by name and way; what has no way is forward.
pub type Profile = BTreeMap<(&'static str, Way), Spent>;

thread_local! {
    static PROFILE: RefCell<Option<Profile>> = const { RefCell::new(None) };
}

/// Begins to note what this thread's kernels take.
pub fn begin_profile() {
    PROFILE.set(Some(Profile::new()));
}

/// Ends it and gives what was noted; nothing where it was never begun.
pub fn end_profile() -> Profile {
    PROFILE.take().unwrap_or_default()
}

/// Does some work, and notes its time if that is wanted.
pub(crate) fn timed<T>(name: &'static str, way: Way, operations: f64, work: impl FnOnce() -> T) -> T {
    if PROFILE.with_borrow(Option::is_none) {
        return work();
    }
    let began = Instant::now();
    let done = work();
    let time = began.elapsed();
    PROFILE.with_borrow_mut(|profile| {
        if let Some(profile) = profile {
            let spent = profile.entry((name, way)).or_default();
            spent.calls += 1;
            spent.time += time;
            spent.operations += operations;
        }
    });
    done
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::ops::{Activation, conv2d, linear};
    use crate::testing::normal;

    /// Counts of the definitions, by hand.
    #[test]
    fn a_layer_is_noted_both_ways_with_its_operations() {
        let device = Device::flex().autodiff();
        let x = normal::<4>([2, 3, 8, 8], 1, &device);
        let weight = normal::<4>([16, 3, 5, 5], 2, &device).require_grad();
        begin_profile();
        let y = conv2d(x, weight, Tensor::zeros([16], &device), [1, 1]);
        let y = linear(
            y.flatten(1, 3),
            normal::<2>([256, 7], 3, &device).require_grad(),
            Tensor::zeros([7], &device),
            Activation::Identity,
        );
        let _ = y.sum().backward();
        let profile = end_profile();
        let found: Vec<_> = profile
            .iter()
            .map(|(of, spent)| (*of, spent.calls, spent.operations))
            .collect();
        let (convolution, dense) = (2.0 * 2.0 * 16.0 * 16.0 * 75.0, 2.0 * 2.0 * 256.0 * 7.0);
        assert_eq!(
            found,
            [
                (("convolution", Way::Forward), 1, convolution),
                // Images want no gradient.
                (("convolution", Way::Backward), 1, convolution),
                (("dense", Way::Forward), 1, dense),
                (("dense", Way::Backward), 1, 2.0 * dense),
            ]
        );
        assert_eq!(end_profile(), Profile::new(), "nothing is noted unless it is wanted");
    }
}
