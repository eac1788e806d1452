//! Maps among the activations: planes with height and width, and where in the image their places look.

use burn::prelude::*;
use capsnet_data::random::Seed;
use capsnet_measure::equivariance::{MoveBack, Places, Selection};
use rand::RngExt;

use super::Rotation;
use crate::model::Classifier;
use crate::observe::{AnyRank, Observer};

/// A change less than this share of a layer's largest value is rounding.
const ROUNDING: f32 = 1e-4;

/// An activation as planes of `[height, width]`, one after the other, sample by sample; `None` if it is no map.
pub(super) fn planes(activation: &dyn AnyRank) -> Option<(Tensor<4>, [usize; 2])> {
    let (planes, size) = match activation.sizes()[..] {
        // Features.
        [batch, channels, height, width] => {
            let planes = activation.flat().reshape([batch, channels, height, width]);
            (planes, [height, width])
        }
        // Capsules at places: [B, height, width, types, numbers].
        [batch, height, width, types, numbers] => {
            let numbers = activation.flat().reshape([batch, height, width, types * numbers]);
            (numbers.permute([0, 3, 1, 2]), [height, width])
        }
        _ => return None,
    };
    (size[0] * size[1] > 1).then_some((planes, size))
}

/// What kind of map a layer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MapKind {
    /// Rows and columns, where their places look.
    Plane([Places; 2]),
    /// So many radii and angles.
    Polar([usize; 2]),
}

impl MapKind {
    /// How a map of an image of this size is moved back; `None` if that isn't known of the transform.
    pub(super) fn back(&self, rotation: &Rotation, [height, width]: [usize; 2]) -> Option<MoveBack> {
        let pipeline = &rotation.pipeline;
        match *self {
            Self::Plane([rows, columns]) => {
                pipeline.carry([0.0; 2], height, width)?;
                let carry = |point| pipeline.carry(point, height, width).unwrap_or(point);
                Some(MoveBack::of_map(rows, columns, carry))
            }
            Self::Polar([radii, angles]) => Some(MoveBack::of_polar(radii, angles, pipeline.as_rotation()?)),
        }
    }
}

/// A choice of a layer's planes, gathered over the samples.
pub(super) struct Planes {
    pub(super) kind: MapKind,
    /// Whole planes, as if each were a vector.
    pub(super) chosen: Selection,
    pub(super) values: Vec<f32>,
}

/// Where the places of a model's maps look in images of `[channels, height, width]`, by the names of the layers.
///
/// Each row and each column of an image of noise is changed in turn: what then changes in a map has it in sight. The
/// middle of what a place sees is where it looks. Of maps whose places all see all of the image, or of which fewer than
/// two see all that one can, the places share the image out from edge to edge.
pub(super) fn sight(model: &dyn Classifier, seed: Seed, device: &Device) -> Vec<(String, [Places; 2])> {
    let image = model.input().image;
    let (channels, height, width) = (image.channels, image.height, image.width);
    let mut rng = seed.stream("sight of maps", 0, 0);
    let mut noise = || -> Vec<f32> { (0..channels * height * width).map(|_| rng.random()).collect() };
    let (before, after) = (noise(), noise());
    let changed = |is_in: &dyn Fn(usize) -> bool| -> Vec<f32> {
        let pairs = before.iter().zip(&after).enumerate();
        pairs
            .map(|(k, (&before, &after))| if is_in(k) { after } else { before })
            .collect()
    };
    let mut images = before.clone();
    for row in 0..height {
        images.extend(changed(&|k| k / width % height == row));
    }
    for column in 0..width {
        images.extend(changed(&|k| k % width == column));
    }
    let images = TensorData::new(images, [1 + height + width, channels, height, width]);
    let images = Tensor::from_data(images, device);
    let mut look = Look {
        size: [height, width],
        found: Vec::new(),
    };
    look.see(super::collect::INPUT, &images);
    model.forward_observed(images, &mut look);
    look.found
}

/// Looks at the maps of noise whose rows and columns change one by one.
struct Look {
    size: [usize; 2],
    found: Vec<(String, [Places; 2])>,
}

impl Observer for Look {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        let Some((planes, map)) = planes(activation) else {
            return;
        };
        if self.found.iter().any(|(name, _)| name == layer) {
            return;
        }
        let values = planes.values();
        let size = values.len() / (1 + self.size[0] + self.size[1]);
        let (before, changed) = values.split_at(size);
        let least = ROUNDING * before.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
        let (by_row, by_column) = changed.split_at(size * self.size[0]);
        // Which rows, or columns, of the map change with each one of the image.
        let seen = |changed: &[f32], of: &dyn Fn(usize) -> usize, count: usize| -> Vec<Vec<bool>> {
            let change = |changed: &[f32]| {
                let mut seen = vec![false; count];
                for (k, (a, b)) in before.iter().zip(changed).enumerate() {
                    seen[of(k)] |= (a - b).abs() > least;
                }
                seen
            };
            changed.chunks_exact(size).map(change).collect()
        };
        let rows = seen(by_row, &|k| k / map[1] % map[0], map[0]);
        let columns = seen(by_column, &|k| k % map[1], map[1]);
        self.found
            .push((layer.to_owned(), [places(&rows, map[0]), places(&columns, map[1])]));
    }
}

/// The places of an axis by what each sees: `seen[pixel][place]`.
fn places(seen: &[Vec<bool>], count: usize) -> Places {
    let pixels = seen.len();
    let field = |place: usize| {
        let first = (0..pixels).find(|&pixel| seen[pixel][place])?;
        let last = (0..pixels).rfind(|&pixel| seen[pixel][place])?;
        Some((place, first, last + 1))
    };
    let fields: Vec<_> = (0..count).filter_map(field).collect();
    let most = fields.iter().map(|(_, first, end)| end - first).max().unwrap_or(0);
    // At the edge a place may see less.
    let mut whole = fields
        .into_iter()
        .filter(|(_, first, end)| end - first == most && most < pixels);
    let ends = whole.next().and_then(|first| Some((first, whole.next_back()?)));
    let Some((near, far)) = ends else {
        return Places::edge_to_edge(pixels, count);
    };
    let middle = |(_, first, end): (usize, usize, usize)| (first + end) as f64 / 2.0;
    let step = (middle(far) - middle(near)) / (far.0 - near.0) as f64;
    if step <= 0.0 {
        return Places::edge_to_edge(pixels, count);
    }
    Places {
        first: middle(near) - near.0 as f64 * step,
        step,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EmCapsNetConfig, LeNet5Config, Model, ModelConfig};

    fn of(config: ModelConfig) -> Vec<(String, [Places; 2])> {
        let model = Model::new(config, Seed(3), &Device::flex()).unwrap();
        sight(&model, Seed(1), &Device::flex())
    }

    fn places(sight: &[(String, [Places; 2])], layer: &str) -> [(f64, f64, usize); 2] {
        let (_, places) = sight.iter().find(|(name, _)| name == layer).unwrap();
        places.map(|places| (places.first, places.step, places.count))
    }

    /// 5 x 5 and a pool of 2: a place sees 6 pixels and the next one begins 2 further; then 5 x 5 and a pool once more.
    #[test]
    fn places_are_where_convolutions_and_pools_put_them() {
        let sight = of(ModelConfig::LeNet5(LeNet5Config::default()));
        assert_eq!(places(&sight, "input"), [(0.5, 1.0, 28); 2]);
        assert_eq!(places(&sight, "conv0"), [(3.0, 2.0, 12); 2]);
        assert_eq!(places(&sight, "conv1"), [(8.0, 4.0, 4); 2]);
        assert_eq!(sight.len(), 3, "scores have no places");
    }

    /// 5 x 5 with a stride of 2, and capsules that see 3 x 3 of those below.
    #[test]
    fn capsules_at_places_have_places_too() {
        let sight = of(ModelConfig::EmCapsNet(EmCapsNetConfig::default()));
        assert_eq!(places(&sight, "conv1"), [(2.5, 2.0, 12); 2]);
        assert_eq!(places(&sight, "primary_capsules"), [(2.5, 2.0, 12); 2]);
        assert_eq!(places(&sight, "capsules1"), [(4.5, 4.0, 5); 2]);
    }

    #[test]
    fn places_that_see_everything_share_the_image_out() {
        let sees_all = vec![vec![true; 4]; 12];
        assert_eq!(super::places(&sees_all, 4), Places::edge_to_edge(12, 4));
        // Padding: the places at the edge see less, and no matter.
        let padded: Vec<Vec<bool>> = (0..6usize)
            .map(|pixel| (0..6).map(|place: usize| pixel.abs_diff(place) <= 1).collect())
            .collect();
        assert_eq!(super::places(&padded, 6), Places::edge_to_edge(6, 6));
    }
}
