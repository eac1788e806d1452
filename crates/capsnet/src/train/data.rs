//! The images that a run trains on, as its protocol wants them.

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::MultiMnist;
use capsnet_data::random::Seed;

use super::TrainConfig;
use crate::Error;
use crate::evaluate::{check_fits, check_pairs_fit};
use crate::model::Architecture;

/// Reads the training images of the configured folder and makes of them what the protocol trains on.
///
/// affNIST's are placed in frames of 40 x 40, MNIST-rot's are drawn from both splits and rotated. MultiMNIST's stay
/// single digits: their pairs are drawn in training.
///
/// # Errors
///
/// If the files can't be read or the protocol can't be carried out on them.
pub fn training_data<A: Architecture>(config: &TrainConfig<A>) -> Result<Dataset, Error> {
    let images = |split| Ok(Dataset::load(&config.data, split)?);
    match config.protocol {
        Some(protocol) => protocol.training_set(&images),
        None => images(Split::Train),
    }
}

/// Checks that the run can be made with `data`; the number of images that it trains on.
///
/// # Errors
///
/// If the images don't fit the model, are too few, or make no pairs where the protocol wants pairs.
pub fn check_data<A: Architecture>(config: &TrainConfig<A>, data: &Dataset) -> Result<usize, Error> {
    if config.trains_on_pairs() {
        check_pairs_fit(data, config.model.input())?;
        let images = config.training_images(data.len())?;
        let (training, held_out) = parts(config, data, images);
        for part in std::iter::once(&training).chain(&held_out) {
            MultiMnist::new(part, Seed(config.seed))?;
        }
        return Ok(images);
    }
    check_fits(data, config.model.input())?;
    config.training_images(data.len())
}

/// The first `images`, and those that are kept out for validation, if any: pairs are formed within each part.
pub(super) fn parts<A: Architecture>(
    config: &TrainConfig<A>,
    data: &Dataset,
    images: usize,
) -> (Dataset, Option<Dataset>) {
    let first = data.len() - config.validation;
    let held_out = (config.validation > 0).then(|| data.slice(first..data.len()));
    (data.slice(0..images), held_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LeNet5Config;

    #[test]
    fn what_is_held_out_is_in_no_training_pair() {
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let labels = [0, 1, 0, 1, 0, 1].to_vec();
        let data = Dataset::new("six", [1, 1, 1], (0..6).collect(), labels, names).unwrap();
        let mut config = TrainConfig::for_model(LeNet5Config::default());
        config.validation = 2;
        for (limit, images) in [(None, 4), (Some(3), 3), (Some(5), 4)] {
            config.limit = limit;
            let count = config.training_images(data.len()).unwrap();
            let (training, held_out) = parts(&config, &data, count);
            assert_eq!(training, data.slice(0..images));
            assert_eq!(held_out, Some(data.slice(4..6)));
        }
        config.validation = 0;
        assert_eq!(parts(&config, &data, 6), (data.clone(), None));
    }
}
