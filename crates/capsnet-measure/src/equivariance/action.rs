//! What a rotation of the input is supposed to do to a layer.

use serde::{Deserialize, Serialize};

/// How a layer's vectors answer to a rotation of its input, where that is known.
///
/// A positive angle turns the picture counter-clockwise as one looks at it, though its rows are numbered downwards.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing is known; a linear map is learned from the data instead.
    #[default]
    Unknown,
    /// The coordinates of a vector are pairs `re0, im0, re1, im1, ..`, each of which turns by the input's angle:
    /// `re' + i im' = exp(i angle) (re + i im)`. So `re` points to the right of the picture and `im` up.
    Rotates,
    /// The coordinates are such pairs too, but the pair `k` turns by `orders[k]` times the angle: the irreducible
    /// representations of the rotation group. Order 0 stays as it is.
    Orders(Vec<usize>),
    /// Nothing changes.
    Invariant,
}

impl Action {
    /// Turns a vector as an input that turns by so many degrees is supposed to; `false` if that is not known.
    ///
    /// # Panics
    ///
    /// If the coordinates are no pairs, or not as many pairs as there are orders.
    pub fn apply(&self, vector: &mut [f64], degrees: f64) -> bool {
        let orders: &mut dyn Iterator<Item = usize> = match self {
            Action::Unknown => return false,
            Action::Invariant => return true,
            Action::Rotates => &mut std::iter::repeat(1),
            Action::Orders(orders) => {
                assert_eq!(vector.len(), 2 * orders.len(), "a pair of coordinates for each order");
                &mut orders.iter().copied()
            }
        };
        assert!(vector.len().is_multiple_of(2), "a vector that turns consists of pairs");
        for (pair, order) in vector.chunks_exact_mut(2).zip(orders) {
            let (sin, cos) = (order as f64 * degrees).to_radians().sin_cos();
            let [re, im] = [pair[0], pair[1]];
            pair[0] = cos * re - sin * im;
            pair[1] = sin * re + cos * im;
        }
        true
    }
}
