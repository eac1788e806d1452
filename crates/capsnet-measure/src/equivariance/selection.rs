//! Which units of a large layer are measured.

use capsnet_data::random::Seed;
use serde::{Deserialize, Serialize};

/// A seeded choice of a layer's units, in whole vectors: the same for the same seed, layer and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Indices of the chosen units, ascending.
    pub units: Vec<usize>,
    /// The number of units in the layer.
    pub total: usize,
}

impl Selection {
    /// Chooses at most `most` of `total` units, but at least one vector; `vector` neighbouring units stay together.
    ///
    /// # Panics
    ///
    /// If `total` is not a multiple of `vector`.
    pub fn new(total: usize, vector: usize, most: usize, seed: Seed, layer: &str) -> Self {
        assert!(total.is_multiple_of(vector), "{total} units are no vectors of {vector}");
        let vectors = total / vector;
        let mut chosen = seed.permutation(vectors, &format!("units {layer}"), 0);
        chosen.truncate((most / vector).max(1));
        chosen.sort_unstable();
        let units = chosen.into_iter().flat_map(|at| at * vector..(at + 1) * vector);
        Self {
            units: units.collect(),
            total,
        }
    }

    /// The chosen ones of a sample's activations.
    pub fn pick<'a>(&'a self, activations: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
        self.units.iter().map(|&unit| f64::from(activations[unit]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_stay_whole_and_small_layers_complete() {
        let chosen = Selection::new(96, 8, 30, Seed(1), "primary");
        assert_eq!(chosen.units.len(), 24);
        assert!(chosen.units.is_sorted());
        for vector in chosen.units.chunks(8) {
            assert!(vector[0].is_multiple_of(8) && vector[7] == vector[0] + 7);
        }
        assert_eq!(chosen, Selection::new(96, 8, 30, Seed(1), "primary"));
        assert_ne!(chosen, Selection::new(96, 8, 30, Seed(2), "primary"));
        assert!(Selection::new(10, 1, 512, Seed(1), "fc").units.into_iter().eq(0..10));
        assert_eq!(Selection::new(96, 48, 30, Seed(1), "a").units.len(), 48);
    }
}
