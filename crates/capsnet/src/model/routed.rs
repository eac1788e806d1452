//! How a network came to its class capsules: what a picture of couplings is made of.

use burn::prelude::*;
pub use capsnet_measure::look::Place;

use crate::routing::{CouplingsOver, Iteration};

/// The routing of a batch between a network's last two layers of capsules.
#[derive(Clone, Debug)]
pub struct RoutedCapsules {
    /// `[B, I]`: how long, or how active, the lower capsules are.
    pub lower: Tensor<2>,
    /// What the couplings sum to one over, if they do.
    pub over: Option<CouplingsOver>,
    /// Every iteration, the first one first. There is at least one.
    pub iterations: Vec<Iteration>,
    /// Where the lower capsules sit.
    pub maps: CapsuleMaps,
}

/// Maps of capsules over an image: maps are outermost, then rows, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapsuleMaps {
    /// Rows of a map.
    pub rows: usize,
    /// Columns of a map.
    pub columns: usize,
    /// Pixels of the image from one row, or column, to the next.
    pub stride: usize,
    /// Rows, and columns, of pixels that a capsule sees.
    pub side: usize,
}

impl CapsuleMaps {
    /// The place of capsule `index`.
    pub fn place_of(&self, index: usize) -> Place {
        let (row, column) = (index / self.columns % self.rows, index % self.columns);
        Place {
            map: index / (self.rows * self.columns),
            row,
            column,
            top: row * self.stride,
            left: column * self.stride,
            side: self.side,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capsules_are_counted_along_rows_then_down_then_from_map_to_map() {
        let maps = CapsuleMaps {
            rows: 3,
            columns: 2,
            stride: 4,
            side: 9,
        };
        let place = maps.place_of(2 * 6 + 2 * 2 + 1);
        assert_eq!((place.map, place.row, place.column), (2, 2, 1));
        assert_eq!((place.top, place.left, place.side), (8, 4, 9));
    }
}
