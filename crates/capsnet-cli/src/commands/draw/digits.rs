//! Flags that choose test digits and say what is done to them.

use anyhow::Result;
use capsnet::look::Digits;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Resample};
use capsnet_pictures::Choice;
use clap::Args;

use super::explain;
use crate::args::positive;
use crate::setting::usage;

/// Which test digits, and what is done to them.
#[derive(Args, Debug, Clone)]
pub(super) struct DigitArgs {
    /// Numbers of the test images, counted from 0, separated by commas
    #[arg(long, value_name = "N,..", value_delimiter = ',', conflicts_with_all = ["class", "count"])]
    index: Vec<usize>,
    /// Take digits of this class only
    #[arg(long, value_name = "CLASS")]
    class: Option<usize>,
    /// How many digits, where the picture shows several
    #[arg(long, value_name = "N", value_parser = positive)]
    count: Option<usize>,
    /// What is done to each digit (before a rotation, if any), for example 'shear=20,noise=30'
    #[arg(long, value_name = "SPEC")]
    transform: Option<Pipeline>,
    /// How affine transforms read between the pixels
    #[arg(long, value_name = "nearest|bilinear")]
    resample: Option<Resample>,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
}

impl DigitArgs {
    /// The digits, and what is done to them.
    pub(super) fn of<'a>(&self, data: &'a Dataset) -> Result<Digits<'a>> {
        let transform = self.transform.clone().unwrap_or_default();
        if transform.normalize().is_some() {
            let message = "--transform: `normalize` is no matter of pictures; leave it out, the weights say how they \
                           normalise";
            return Err(usage(message).into());
        }
        Ok(Digits {
            data,
            transform,
            resample: self.resample,
            seed: Seed(self.seed),
        })
    }

    /// Which digits.
    pub(super) fn choice(&self) -> Choice {
        Choice {
            indices: self.index.clone(),
            class: self.class,
            count: self.count,
        }
    }

    /// The one digit of a picture that shows one.
    pub(super) fn one(&self, data: &Dataset) -> Result<usize> {
        self.choice().one(data).map_err(explain)
    }
}
