//! The evaluation protocols of the field: what a model is trained on, and how it is then tested.
//!
//! A protocol is one file here that implements [`Protocol`], and one line in the list below; how its images are made
//! stands in [`capsnet_data::protocol`]. Training takes one by
//! [`TrainConfig::set_protocol`](crate::train::TrainConfig), and [`test`](fn@test) tests any model by one:
//!
//! ```
//! use burn::prelude::*;
//! use capsnet::model::{LeNet5Config, Model, ModelConfig};
//! use capsnet::protocol::{self, Settings};
//! use capsnet_data::dataset::Dataset;
//! use capsnet_data::random::Seed;
//!
//! # fn main() -> Result<(), capsnet::Error> {
//! let device = Device::flex();
//! let model = Model::new(ModelConfig::LeNet5(LeNet5Config::default()), Seed(1), &device)?;
//! let digits = Dataset::new("digits", [1, 28, 28], vec![0; 784], vec![0], ["zero"])?;
//! let images = |_| Ok(digits.clone());
//!
//! let tutorial = protocol::by_name("tutorial")?;
//! let outcome = protocol::test(tutorial, &images, &model, &device, &Settings::default(), &mut |_| {})?;
//! assert_eq!(outcome.tests.len(), 4);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::str::FromStr;

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::transform::Pipeline;
use capsnet_measure::ProtocolOutcome;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

mod overview;
mod reference;
mod tester;

pub use overview::Overview;
pub use tester::{Images, Progress, Settings, Tester, test};

macro_rules! protocols {
    ($($file:ident::$Protocol:ident,)*) => {
        $(mod $file;)*

        /// Every protocol, in the order in which they are listed.
        pub static ALL: [&dyn Protocol; [$(stringify!($file)),*].len()] = [$(&$file::$Protocol),*];
    };
}

// rustfmt doesn't find files that are declared so; the gate hands them to it.
protocols! {
    tutorial::Tutorial,
    affnist::AffNist,
    multimnist::MultiMnist,
    mnist_rot::MnistRot,
    corruptions::Corruptions,
    translate::Translate,
    perturbations::Perturbations,
}

/// What there is to say of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// The name used on the command line and in a run's `config.toml`.
    pub name: &'static str,
    /// Where it comes from, to be printed beside every figure.
    pub source: &'static str,
    /// In what the images that are made here differ from the source's, to be printed likewise; `None` if they don't.
    pub caveat: Option<&'static str>,
    /// What a model is trained on, in a line; `None` for a protocol of testing alone.
    pub training: Option<&'static str>,
    /// What it is tested on, in a line.
    pub testing: &'static str,
}

/// A protocol: what a model is trained on, and how it is then tested.
pub trait Protocol: Send + Sync {
    /// What there is to say of it.
    fn about(&self) -> About;

    /// Rows and columns of an image that is made of images of this size.
    fn size(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height, width]
    }

    /// The splits of a data set that the training images are made of.
    fn training_splits(&self) -> &'static [Split] {
        &[Split::Train]
    }

    /// The images to train on.
    ///
    /// # Errors
    ///
    /// If they can't be had, or the protocol can't be carried out on them.
    fn training_set(&self, images: &Images) -> Result<Dataset, Error> {
        images(Split::Train)
    }

    /// What is done to each training image, if anything.
    fn training_transform(&self) -> Option<Pipeline> {
        None
    }

    /// What is done to the images that are kept out for validation.
    fn validation_transform(&self) -> Pipeline {
        Pipeline::identity()
    }

    /// Whether a model is trained on pairs of overlapping images, and not on single ones.
    fn trains_on_pairs(&self) -> bool {
        false
    }

    /// How many versions of every test image there are, unless the user wants another number; `None` if there are none.
    fn variants(&self) -> Option<u64> {
        None
    }

    /// Whether the test images can also be read from an original file.
    fn reads_file(&self) -> bool {
        false
    }

    /// The transforms of the test images, where the test consists in nothing else.
    fn conditions(&self) -> Vec<Pipeline> {
        Vec::new()
    }

    /// Whether a model that was trained otherwise is tested by it, and comes to a figure by which the variants of a
    /// study can be held beside each other.
    fn fits_studies(&self) -> bool {
        false
    }

    /// Tests a model: by [`conditions`](Self::conditions), unless the protocol does otherwise.
    ///
    /// # Errors
    ///
    /// If the images can't be had or don't fit the model.
    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        tester.test_conditions(&self.conditions())
    }
}

impl dyn Protocol + '_ {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.about().name
    }
}

/// The protocol of a name.
///
/// # Errors
///
/// [`Error::UnknownProtocol`] if there is none.
pub fn by_name(name: &str) -> Result<&'static dyn Protocol, Error> {
    let found = ALL.into_iter().find(|protocol| protocol.name() == name);
    found.ok_or_else(|| Error::UnknownProtocol {
        name: name.to_owned(),
        known: names_where(|_| true).join(", "),
    })
}

/// The names of the protocols of which something holds.
pub fn names_where(holds: impl Fn(&dyn Protocol) -> bool) -> Vec<&'static str> {
    let those = ALL.into_iter().filter(|protocol| holds(*protocol));
    those.map(|protocol| protocol.name()).collect()
}

impl FromStr for &'static dyn Protocol {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        by_name(name)
    }
}

impl fmt::Display for dyn Protocol + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for dyn Protocol + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Protocols of one name are the same.
impl PartialEq for dyn Protocol + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Serialize for dyn Protocol + '_ {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for &'static dyn Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_name(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_read_again() {
        for (number, protocol) in ALL.into_iter().enumerate() {
            assert!(ALL[..number].iter().all(|other| *other != protocol), "{protocol}");
            let json = serde_json::to_string(protocol).unwrap();
            assert_eq!(json, format!("{:?}", protocol.name()));
            assert_eq!(serde_json::from_str::<&'static dyn Protocol>(&json).unwrap(), protocol);
        }
        let message = by_name("mnist-c").unwrap_err().to_string();
        assert!(
            message.contains("`mnist-c`; known are tutorial, affnist, multimnist"),
            "{message}"
        );
    }

    #[test]
    fn sizes_and_transforms_are_the_papers() {
        let size = |name| by_name(name).unwrap().size([28, 28]);
        assert_eq!(
            (size("affnist"), size("multimnist"), size("mnist-rot")),
            ([40; 2], [36; 2], [28; 2])
        );
        let transforms = ALL.map(|protocol| protocol.training_transform().map(|transform| transform.to_string()));
        let written = transforms.each_ref().map(Option::as_deref);
        assert_eq!(written[..3], [Some("translate=2"), Some("translate=6"), None]);
        assert_eq!(
            names_where(|protocol| protocol.variants().is_some()),
            ["affnist", "multimnist"]
        );
    }
}
