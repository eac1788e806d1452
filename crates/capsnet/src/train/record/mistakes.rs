//! Which of the mistakes on the images that were kept out are noted with their images: a few of each kind.

use std::collections::HashMap;

use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline};

use super::Grid;
use crate::evaluate::Evaluation;

/// Of one class taken for one other.
const OF_A_KIND: usize = 6;
/// Of all kinds together, so that a record stays small while a network knows nothing yet.
const MOST: usize = 120;

/// The first mistakes of each kind in a test of the images from `first` on, under the transform that it was made under.
pub(crate) fn mistakes(data: &Dataset, first: usize, tested: &Evaluation, transform: &Pipeline) -> Grid {
    let augment = Augment::from(transform.clone());
    let mut kinds: HashMap<(u8, u8), usize> = HashMap::new();
    let mut grid = Grid {
        shape: data.shape(),
        ..Grid::default()
    };
    for (number, (&truth, &said)) in tested.labels.iter().zip(&tested.predictions).enumerate() {
        let of_kind = kinds.entry((truth, said)).or_default();
        if truth == said || *of_kind == OF_A_KIND {
            continue;
        }
        *of_kind += 1;
        grid.labels.push(truth.into());
        grid.predictions.push(said.into());
        grid.images.push(augment.image(data, Seed(1), 0, first + number));
        if grid.labels.len() == MOST {
            break;
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use capsnet_measure::Score;

    use super::*;

    #[test]
    fn a_few_of_each_kind_and_no_right_answers() {
        let levels = |index: usize| index as u8;
        let names = ["zero", "one", "two"].map(str::to_owned).to_vec();
        let labels: Vec<u8> = (0..200).map(|k| (k % 2) as u8).collect();
        let images = (0..200).flat_map(|index| [levels(index); 4]).collect();
        let data = Dataset::new("made up", [1, 2, 2], images, labels.clone(), names).unwrap();
        // Zeros are right but for those at multiples of 20; all ones are taken for twos.
        let said = |(index, &truth): (usize, &u8)| match truth {
            0 if index % 20 == 0 => 2,
            0 => 0,
            _ => 2,
        };
        let tested = Evaluation {
            transform: Pipeline::identity(),
            score: Score::new(190, 0),
            confusion: Vec::new(),
            predictions: labels.iter().enumerate().skip(10).map(said).collect(),
            labels: labels[10..].to_vec(),
        };
        let grid = mistakes(&data, 10, &tested, &Pipeline::identity());
        let of = |truth: usize| {
            let all = grid.labels.iter().zip(&grid.images);
            all.filter(|(label, _)| **label == truth)
                .map(|(_, image)| image[0])
                .collect::<Vec<u8>>()
        };
        assert_eq!(of(0), [20, 40, 60, 80, 100, 120]);
        assert_eq!(of(1), [11, 13, 15, 17, 19, 21]);
        assert_eq!(grid.predictions, [2; 12]);
    }
}
