//! The images that a run trains on, as its protocol wants them.

use std::borrow::Cow;

use capsnet_data::dataset::{Dataset, Split, stratified};
use capsnet_data::protocol::MultiMnist;
use capsnet_data::random::Seed;
use capsnet_data::source::{self, Options};

use super::{HeldOut, TrainConfig};
use crate::Error;
use crate::evaluate::{check_fits, check_pairs_fit};
use crate::model::Architecture;
use crate::protocol::Images;

/// Reads the training images of the configured folder and makes of them what the protocol trains on.
///
/// affNIST's are placed in frames of 40 x 40, MNIST-rot's are drawn from both splits and rotated. MultiMNIST's stay
/// single digits: their pairs are drawn in training.
///
/// # Errors
///
/// If the files can't be read or the protocol can't be carried out on them.
pub fn training_data<A: Architecture>(config: &TrainConfig<A>) -> Result<Dataset, Error> {
    let options = Options { image: config.image };
    training_set(config, &|split| Ok(source::load(&config.data, split, &options)?.data))
}

/// Makes of the images of a data set's splits what the protocol trains on.
///
/// # Errors
///
/// If they can't be had or the protocol can't be carried out on them.
pub fn training_set<A: Architecture>(config: &TrainConfig<A>, images: &Images) -> Result<Dataset, Error> {
    match config.protocol {
        Some(protocol) => protocol.training_set(images),
        None => images(Split::Train),
    }
}

/// What the images that a run trains on, and those that it keeps out, lack: whole sentences without a full stop.
pub fn data_warnings<A: Architecture>(config: &TrainConfig<A>, data: &Dataset) -> Vec<String> {
    let Ok(images) = config.training_images(data.len()) else {
        return Vec::new();
    };
    let (training, held_out) = parts(config, &arranged(config, data), images);
    let counts = training.counts();
    let names = data.class_names();
    let mut warnings = Vec::new();
    let mut warn = |absent: Vec<&str>, of: &str| match absent[..] {
        [] => {}
        [name] => warnings.push(format!("there is no image of class {name} {of}")),
        _ => warnings.push(format!("there is no image {of} of the classes {}", absent.join(", "))),
    };
    let named = |class: usize| names[class].as_str();
    warn(
        (0..names.len())
            .filter(|&class| counts[class] == 0)
            .map(named)
            .collect(),
        "to train on",
    );
    if let Some(held_out) = &held_out {
        let held_out = held_out.counts();
        let absent = (0..names.len()).filter(|&class| counts[class] > 0 && held_out[class] == 0);
        warn(absent.map(named).collect(), "among those held out for validation");
    }
    warnings
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
        let (training, held_out) = parts(config, &arranged(config, data), images);
        for part in std::iter::once(&training).chain(&held_out) {
            MultiMnist::new(part, Seed(config.seed))?;
        }
        return Ok(images);
    }
    check_fits(data, config.model.input())?;
    config.training_images(data.len())
}

/// The images in the order in which a run takes them: first those to train on, last those that are kept out.
pub(super) fn arranged<'a, A: Architecture>(config: &TrainConfig<A>, data: &'a Dataset) -> Cow<'a, Dataset> {
    let count = config.validation.min(data.len());
    if config.held_out == HeldOut::Last || count == 0 {
        return Cow::Borrowed(data);
    }
    let held_out = stratified(data.labels(), count, Seed(config.seed));
    let mut is_out = vec![false; data.len()];
    held_out.iter().for_each(|&index| is_out[index] = true);
    let rest = (0..data.len()).filter(|&index| !is_out[index]);
    Cow::Owned(data.select(rest.chain(held_out)))
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
        config.held_out = HeldOut::Last;
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

    /// Images sorted by class: the last would be of one class.
    #[test]
    fn images_of_every_class_are_held_out() {
        let labels: Vec<u8> = (0..100).map(|index| index / 10).collect();
        let names = (0..10).map(|class| class.to_string());
        let data = Dataset::new("sorted", [1, 1, 1], (0..100).collect(), labels, names).unwrap();
        let mut config = TrainConfig::for_model(LeNet5Config::default());
        config.validation = 20;
        let split = |config: &TrainConfig<LeNet5Config>| {
            let arranged = arranged(config, &data);
            let (training, held_out) = parts(config, &arranged, 80);
            (training, held_out.unwrap())
        };
        let (training, held_out) = split(&config);
        assert_eq!(held_out.counts(), [2; 10]);
        assert_eq!(training.counts(), [8; 10]);
        let mut all: Vec<u8> = [training.pixels(), held_out.pixels()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        assert!(data_warnings(&config, &data).is_empty());
        config.seed = 2;
        assert_ne!(split(&config).1, held_out);
        config.held_out = HeldOut::Last;
        assert_eq!(split(&config).1, data.slice(80..100));
        assert_eq!(
            data_warnings(&config, &data)[0],
            "there is no image to train on of the classes 8, 9"
        );
    }
}
