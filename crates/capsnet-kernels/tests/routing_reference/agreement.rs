//! Results of kernels held to the definition.

use super::super::support::{noise, relative_rms, widened};
use super::Definition;
use capsnet_kernels::{CouplingsOver, RoutingShape};

/// Largest error against f64, as root mean square relative to that of the result.
const TOLERANCE: f64 = 2e-6;

#[derive(Debug, PartialEq)]
pub(crate) struct Passes {
    pub(crate) v: Vec<f32>,
    pub(crate) du: Vec<f32>,
    pub(crate) dw: Vec<f32>,
}

pub(crate) struct Operands {
    pub(crate) u: Vec<f32>,
    pub(crate) w: Vec<f32>,
    pub(crate) dv: Vec<f32>,
}

impl Operands {
    pub(crate) fn new(shape: &RoutingShape) -> Self {
        // Votes of length two: couplings are moved, not decided, which would magnify rounding.
        let size = 6.0 / ((shape.lower_dimensions * shape.upper_dimensions) as f32).sqrt();
        Self {
            u: noise(1, shape.lower_len()),
            w: noise(2, shape.weight_len()).into_iter().map(|w| size * w).collect(),
            dv: noise(3, shape.upper_len()),
        }
    }
}

impl Passes {
    /// Routing magnifies rounding, the more the longer the votes and the more iterations. How much is measured: what
    /// the definition makes of weights that differ by the rounding of single precision, 3e-8 rms, may show 30 times.
    pub(crate) fn assert_match_the_definition(&self, shape: &RoutingShape, operands: &Operands) {
        let expected = Expected::new(shape, operands, 0.0);
        let rounded = Expected::new(shape, operands, 5e-8);
        for (name, got, expected, rounded) in [
            ("v", &self.v, expected.v, rounded.v),
            ("du", &self.du, expected.du, rounded.du),
            ("dw", &self.dw, expected.dw, rounded.dw),
        ] {
            let error = relative_rms(widened(got), &expected);
            let allowed = TOLERANCE.max(30.0 * relative_rms(rounded.into_iter(), &expected));
            assert!(allowed < 1e-3, "{name} of {shape:?}: routing is too sensitive to tell");
            assert!(
                error <= allowed,
                "{name} of {shape:?}: error {error:.2e}, allowed {allowed:.2e}"
            );
        }
    }
}

/// What the definition computes.
struct Expected {
    v: Vec<f64>,
    du: Vec<f64>,
    dw: Vec<f64>,
}

impl Expected {
    /// The weights are off by up to `change` of themselves.
    fn new(shape: &RoutingShape, Operands { u, w, dv }: &Operands, change: f64) -> Self {
        let u: Vec<f64> = u.iter().map(|&u| f64::from(u)).collect();
        let w = w.iter().zip(noise(4, w.len()));
        let w: Vec<f64> = w.map(|(&w, n)| f64::from(w) * (1.0 + change * f64::from(n))).collect();
        let definition = Definition::new(shape, &u, &w);
        let (du, dw) = definition.gradients(dv);
        Self {
            v: definition.v(),
            du,
            dw,
        }
    }
}

pub(crate) fn shape(
    batch: usize,
    [lower, lower_dimensions]: [usize; 2],
    [upper, upper_dimensions]: [usize; 2],
) -> RoutingShape {
    RoutingShape {
        batch,
        lower,
        lower_dimensions,
        upper,
        upper_dimensions,
        iterations: 3,
        couplings_over: CouplingsOver::Outputs,
    }
}
