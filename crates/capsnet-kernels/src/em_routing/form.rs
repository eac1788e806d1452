//! Whose equations EM follows: where the paper and its authors' code differ.

use std::f64::consts::TAU;

use super::shape::{EmShape, POSE};

/// Whose equations EM follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EmForm {
    /// The paper's.
    #[default]
    Paper,
    /// Those of the authors' code.
    Official,
}

/// How a parent's logit comes of its mass `m` and its variances:
/// `lambda (beta_a_factor beta_a - mass_factor m (beta_u_factor beta_u + logs_factor sum over d of ln(var[d]) / 2))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EmCosts {
    /// Of `beta_u`.
    pub(super) beta_u_factor: f64,
    /// Of half the sum of the variances' logarithms.
    pub(super) logs_factor: f64,
    /// Of the mass.
    pub(super) mass_factor: f64,
    /// Of `beta_a`.
    pub(super) beta_a_factor: f64,
}

impl EmForm {
    /// What `beta_a` is multiplied by in the authors' code.
    pub const OFFICIAL_ACTIVATION_COST: f64 = 5000.0;

    /// The least variance.
    pub const fn least_variance(self) -> f64 {
        match self {
            Self::Paper => EmShape::LEAST_VARIANCE,
            Self::Official => 5e-4,
        }
    }

    /// How much of a mean is new; the rest is that of the iteration before, or zero at first.
    pub const fn new_share(self) -> f64 {
        match self {
            Self::Paper => 1.0,
            Self::Official => 0.9,
        }
    }

    /// Whether types of parents compete for a child. In the authors' code only positions do.
    pub const fn types_compete(self) -> bool {
        matches!(self, Self::Paper)
    }

    /// What the inverse temperature is multiplied by in the layer of classes, whose matrices are shared.
    pub const fn class_layer(self) -> f64 {
        match self {
            Self::Paper => 1.0,
            Self::Official => 0.25,
        }
    }

    /// Which pairs of a position of parents and an offset in its kernel, counted along offsets, then positions, compete
    /// for a child: the group of each. In the authors' code positions compete as if the stride were 1.
    pub fn rivals(self, shape: &EmShape) -> Vec<usize> {
        let columns = shape.out()[1];
        let pairs = (0..shape.positions()).flat_map(|position| (0..shape.offsets()).map(move |k| (position, k)));
        pairs
            .map(|(position, offset)| match self {
                Self::Paper => shape.child(position, offset),
                Self::Official => {
                    let row = position / columns + offset / shape.kernel[1];
                    let column = position % columns + offset % shape.kernel[1];
                    row * (columns + shape.kernel[1] - 1) + column
                }
            })
            .collect()
    }

    pub(super) fn costs(self, shape: &EmShape) -> EmCosts {
        match self {
            Self::Paper => EmCosts {
                beta_u_factor: POSE as f64,
                logs_factor: 1.0,
                mass_factor: shape.mass_scale(),
                beta_a_factor: 1.0,
            },
            Self::Official => EmCosts {
                beta_u_factor: POSE as f64 * (TAU.ln() + 1.0),
                logs_factor: 2.0,
                mass_factor: 1.0,
                beta_a_factor: -Self::OFFICIAL_ACTIVATION_COST,
            },
        }
    }
}

impl EmShape {
    /// The inverse temperature of iteration `t`, counted from 0, in this layer.
    pub(super) fn lambda(&self, iteration: usize) -> f64 {
        let of_classes = if self.shared { self.form.class_layer() } else { 1.0 };
        Self::inverse_temperature(iteration) * of_classes
    }
}
