//! Looking at what a model computes on its way to the answer.
//!
//! A model's `forward_observed` hands every layer's activation to an [`Observer`] in order. Finding the layer in which
//! a NaN arose, measuring a layer, or drawing it are observers; ordinary forward passes use [`Unobserved`], which costs
//! nothing: an activation is handed over by reference and stays what it is.

use burn::prelude::*;
pub use capsnet_measure::Action;

/// A tensor whose rank doesn't matter: the activation of a layer, as an observer gets it.
///
/// Every [`Tensor`] is one, so that a network shows what it has: `observer.see("conv1", &x)`.
pub trait AnyRank {
    /// The sizes of the dimensions, that of the samples first.
    fn sizes(&self) -> Vec<usize>;

    /// All values in one row, with the gradient that they have.
    fn flat(&self) -> Tensor<1>;

    /// All values, row by row.
    fn values(&self) -> Vec<f32> {
        let data = self.flat().into_data();
        data.try_into_vec_as().expect("any float converts to f32")
    }
}

impl<const N: usize> AnyRank for Tensor<N> {
    fn sizes(&self) -> Vec<usize> {
        self.dims().to_vec()
    }

    fn flat(&self) -> Tensor<1> {
        self.clone().flatten(0, N - 1)
    }
}

/// Sees the activations of a forward pass.
pub trait Observer {
    /// Whether it is worth computing what only an observer sees.
    fn looks(&self) -> bool {
        true
    }

    /// Called once a layer, in order; the first dimension of `activation` is the sample.
    fn see(&mut self, layer: &str, activation: &dyn AnyRank);

    /// Called instead of [`see`](Self::see) for a layer of capsules that says how a rotation of the image acts on its
    /// poses.
    ///
    /// # Shapes
    ///
    /// - `pose`: `[B, capsules, D]`; for [`Action::Rotates`] and [`Action::Orders`] each pose is the pairs
    ///   `re0, im0, re1, im1, ..`
    fn see_pose(&mut self, layer: &str, pose: &Tensor<3>, _action: Action) {
        self.see(layer, pose);
    }

    /// Called instead of [`see`](Self::see) for a map in polar coordinates.
    ///
    /// # Shapes
    ///
    /// - `map`: `[B, channels, R, N]`: a rotation of the image by a turn's `N`th part moves it by a place along `N`
    fn see_polar(&mut self, layer: &str, map: &Tensor<4>) {
        self.see(layer, map);
    }
}

/// Looks away.
pub struct Unobserved;

impl Observer for Unobserved {
    fn looks(&self) -> bool {
        false
    }

    fn see(&mut self, _layer: &str, _activation: &dyn AnyRank) {}
}

/// Finds the first layer whose activation holds a NaN or an infinity.
#[derive(Default)]
pub struct FirstNonFinite {
    /// The layer's name, once found.
    pub layer: Option<String>,
}

impl Observer for FirstNonFinite {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        if self.layer.is_none() && !all_finite(activation) {
            self.layer = Some(layer.to_owned());
        }
    }
}

/// Whether a tensor holds neither NaN nor infinity.
pub fn all_finite(tensor: &dyn AnyRank) -> bool {
    // A sum of magnitudes is finite only if every term is; for terms that are finite but overflow together it errs on
    // the side of alarm, at values no trained network has.
    let sum = tensor.flat().detach().abs().sum().into_scalar::<f32>();
    sum.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_layer_is_named() {
        let device = Device::flex();
        let good = Tensor::<1>::from_floats([1.0, -2.0], &device);
        let bad = Tensor::<1>::from_floats([1.0, f32::NAN], &device);
        let worse = Tensor::<1>::from_floats([f32::INFINITY, 0.0], &device);
        let mut observer = FirstNonFinite::default();
        observer.see("first", &good);
        assert_eq!(observer.layer, None);
        observer.see("second", &bad);
        observer.see("third", &worse);
        assert_eq!(observer.layer.as_deref(), Some("second"));
        assert!(!all_finite(&worse));
    }

    #[test]
    fn observers_that_know_no_poses_see_them_as_activations() {
        let poses = Tensor::<3>::from_floats([[[1.0, f32::NAN]]], &Device::flex());
        let mut observer = FirstNonFinite::default();
        observer.see_pose("poses", &poses, Action::Rotates);
        assert_eq!(observer.layer.as_deref(), Some("poses"));
    }
}
