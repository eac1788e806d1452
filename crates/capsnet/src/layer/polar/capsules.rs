//! Class capsules whose coordinates turn with the image.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::{RotationEquivariant, Turn};
use crate::layer::class_capsules::{cast, route};
use crate::layer::squash;
use crate::routing::{Routed, Routing};
use crate::weights::{Exchange, Layout, Named};

/// How many complex coordinates of a capsule turn how fast: a rotation of the image by `a` multiplies a coordinate of
/// order `m` by `e^(i m a)`.
///
/// These are the irreducible representations of the rotation group. Order 0 stays as it is; order 1 points where a part
/// of the figure points; order 2 can describe a figure that half a turn maps to itself, for which every coordinate of
/// order 1 must be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders(pub [usize; 3]);

impl Orders {
    /// The order of each complex coordinate, lowest first.
    pub fn list(self) -> Vec<usize> {
        let Self(counts) = self;
        (0..counts.len())
            .flat_map(|m| std::iter::repeat_n(m, counts[m]))
            .collect()
    }

    /// The number of complex coordinates.
    pub fn len(self) -> usize {
        self.0.iter().sum()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The coordinates of one order, `[B, J, 2 * count]`, of capsules `[B, J, 2 * len]`; `None` if there are none.
    pub fn of(self, order: usize, v: &Tensor<3>) -> Option<Tensor<3>> {
        let count = *self.0.get(order).filter(|&&count| count > 0)?;
        let first: usize = self.0[..order].iter().sum();
        Some(v.clone().slice_dim(2, 2 * first..2 * (first + count)))
    }

    /// Capsules after a rotation by `angle` in radians, `[B, J, 2 * len]`, each coordinate a pair (real, imaginary).
    pub fn turn(self, v: Tensor<3>, angle: f64) -> Tensor<3> {
        let [batch, capsules, _] = v.dims();
        let pairs = v.reshape([batch, capsules, self.len(), 2]);
        let (re, im) = (pairs.clone().slice_dim(3, 0..1), pairs.slice_dim(3, 1..2));
        let phases: Vec<f32> = self.list().iter().map(|&m| (m as f64 * angle) as f32).collect();
        let phases = Tensor::<1>::from_floats(phases.as_slice(), &re.device()).reshape([1, 1, self.len(), 1]);
        let (cos, sin) = (phases.clone().cos(), phases.sin());
        let turned = Tensor::cat(
            vec![re.clone() * cos.clone() - im.clone() * sin.clone(), re * sin + im * cos],
            3,
        );
        turned.reshape([batch, capsules, 2 * self.len()])
    }
}

/// Makes [`TurningCapsules`].
#[derive(Config, Debug)]
pub struct TurningCapsulesConfig {
    /// Kinds of lower capsules at each position.
    pub kinds: usize,
    /// Complex coordinates of a lower capsule.
    pub lower_dimensions: usize,
    /// Radii of the map.
    pub radii: usize,
    /// Angles of the map.
    pub angles: usize,
    /// Number of upper capsules `J`.
    pub upper: usize,
    /// Coordinates of an upper capsule.
    pub orders: Orders,
    /// Standard deviation of the initial weights.
    #[config(default = 0.03)]
    pub weight_std: f64,
    /// How votes become upper capsules.
    #[config(default = "Routing::default()")]
    pub routing: Routing,
}

/// A layer of capsules that reads a polar map and whose coordinates turn with it.
///
/// The lower capsule of kind `t` at radius `r` and angle `a` has complex coordinates `u` in a frame that points
/// outwards. Its vote for a coordinate of order `m` of an upper capsule is `e^(i m a) W[t,r] u`, with a complex matrix
/// `W` that all angles share; votes are routed by agreement, as everywhere.
#[derive(Module, Debug)]
pub struct TurningCapsules {
    /// Real parts of `W`, `[kinds * R, lower_dimensions, J * len]`.
    pub real: Param<Tensor<3>>,
    /// Imaginary parts.
    pub imaginary: Param<Tensor<3>>,
    /// How votes become upper capsules.
    #[module(skip)]
    pub routing: Routing,
    /// Coordinates of an upper capsule.
    #[module(skip)]
    pub orders: Orders,
    upper: usize,
    angles: usize,
    kinds: usize,
}

impl TurningCapsulesConfig {
    /// Makes the layer, its weights drawn from a normal distribution.
    ///
    /// # Panics
    ///
    /// If the routing algorithm's capsules [don't turn](crate::routing::Route::keeps_turns) as the votes do.
    pub fn init(&self, device: &Device) -> TurningCapsules {
        assert!(
            self.routing.algorithm().keeps_turns(),
            "{} doesn't turn with its votes",
            self.routing
        );
        let shape = [
            self.kinds * self.radii,
            self.lower_dimensions,
            self.upper * self.orders.len(),
        ];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: self.weight_std,
        };
        TurningCapsules {
            real: initializer.init(shape, device),
            imaginary: initializer.init(shape, device),
            routing: self.routing.clone(),
            orders: self.orders,
            upper: self.upper,
            angles: self.angles,
            kinds: self.kinds,
        }
    }
}

impl TurningCapsules {
    /// The upper capsules.
    ///
    /// # Shapes
    ///
    /// - `map`: `[B, kinds * lower_dimensions * 2, R, N]`, real and imaginary part innermost
    /// - output: `[B, J, 2 * len]`, each coordinate a pair (real, imaginary), in the image's frame
    pub fn forward(&self, map: Tensor<4>) -> Tensor<3> {
        route(
            self.lower(map),
            self.vote_matrices(),
            self.upper,
            &self.routing,
            Vec::new(),
        )
        .v
    }

    /// The upper capsules and every iteration of routing.
    pub fn forward_with_couplings(&self, map: Tensor<4>) -> Routed {
        let votes = cast(self.lower(map), self.vote_matrices(), self.upper, &self.routing);
        self.routing.forward_with_couplings(votes)
    }

    /// The lower capsules in their own frames, `[B, kinds * R * N, 2 * lower_dimensions]`, squashed.
    pub fn lower(&self, map: Tensor<4>) -> Tensor<3> {
        let [batch, channels, radii, angles] = map.dims();
        let coordinates = channels / self.kinds;
        let capsules = map
            .reshape([batch, self.kinds, coordinates, radii * angles])
            .swap_dims(2, 3)
            .reshape([batch, self.kinds * radii * angles, coordinates]);
        squash(capsules)
    }

    /// The vote matrix of every lower capsule, `[kinds * R * N, 2 * lower_dimensions, J * 2 * len]`: the shared complex
    /// ones as real ones, turned to each angle.
    pub fn vote_matrices(&self) -> Tensor<3> {
        let [places, lower, columns] = self.real.dims();
        let orders = self.orders.list();
        let mut phases = Vec::with_capacity(self.angles * columns);
        for angle in 0..self.angles {
            let step = std::f64::consts::TAU * angle as f64 / self.angles as f64;
            for _ in 0..self.upper {
                phases.extend(orders.iter().map(|&m| (m as f64 * step) as f32));
            }
        }
        let phases = TensorData::new(phases, [1, self.angles, 1, columns]);
        let phases = Tensor::<4>::from_data(phases, &self.real.device()).cast(self.real.dtype());
        let (cos, sin) = (phases.clone().cos(), phases.sin());
        let (re, im) = (
            self.real.val().unsqueeze_dim::<4>(1),
            self.imaginary.val().unsqueeze_dim::<4>(1),
        );
        let turned_re = re.clone() * cos.clone() - im.clone() * sin.clone();
        let turned_im = re * sin + im * cos;
        // (p + i q) (a + i b) = (p a - q b) + i (p b + q a): a row for p, a row for q.
        let p: Tensor<5> = Tensor::stack(vec![turned_re.clone(), turned_im.clone()], 4);
        let q: Tensor<5> = Tensor::stack(vec![-turned_im, turned_re], 4);
        let rows: Tensor<6> = Tensor::stack(vec![p, q], 3);
        rows.reshape([places * self.angles, lower * 2, columns * 2])
    }
}

impl RotationEquivariant for TurningCapsules {
    type Output = Tensor<3>;

    fn apply(&self, map: Tensor<4>) -> Tensor<3> {
        self.forward(map)
    }

    fn turned(&self, output: Tensor<3>, turn: Turn) -> Tensor<3> {
        self.orders.turn(output, turn.angle())
    }

    fn order(&self, _angles: usize) -> usize {
        self.angles
    }
}

impl Named for TurningCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.real"), Layout::Plain, &mut self.real);
        with.parameter(format!("{at}.imaginary"), Layout::Plain, &mut self.imaginary);
    }
}
