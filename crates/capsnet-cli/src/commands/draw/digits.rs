//! Flags that choose test digits and say what is done to them.

use anyhow::Result;
use capsnet::look::Digits;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Resample};
use capsnet_report::number::count;
use clap::Args;

use crate::args::positive;
use crate::setting::usage;

/// Which test digits, and what is done to them.
#[derive(Args, Debug, Clone, Default)]
pub(super) struct DigitArgs {
    /// Numbers of the test images, counted from 0, separated by commas
    #[arg(long, value_name = "N,..", value_delimiter = ',', conflicts_with_all = ["class", "count"])]
    pub index: Vec<usize>,
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

    /// The digits asked for; `default` of them where their number isn't given.
    pub(super) fn chosen(&self, data: &Dataset, default: usize) -> Result<Vec<usize>> {
        if !self.index.is_empty() {
            check_indices(data, &self.index)?;
            return Ok(self.index.clone());
        }
        let candidates = self.candidates(data)?.into_iter();
        Ok(candidates.take(self.wanted(default)).collect())
    }

    /// The one digit of a picture that shows one.
    pub(super) fn one(&self, data: &Dataset) -> Result<usize> {
        let several = self.index.len() > 1 || self.count.is_some_and(|count| count > 1);
        if several {
            let message = "this picture shows one digit: give one --index, or --class without --count";
            return Err(usage(message).into());
        }
        Ok(self.chosen(data, 1)?[0])
    }

    /// How many digits are wanted.
    pub(super) fn wanted(&self, default: usize) -> usize {
        self.count.unwrap_or(default)
    }

    /// All digits that may be shown, those of the class asked for.
    pub(super) fn candidates(&self, data: &Dataset) -> Result<Vec<usize>> {
        let all = 0..data.len();
        let Some(class) = self.class else {
            return Ok(all.collect());
        };
        check_classes(data.class_names().len(), &[class], "--class")?;
        let found: Vec<usize> = all.filter(|&index| usize::from(data.label(index)) == class).collect();
        anyhow::ensure!(
            !found.is_empty(),
            "none of the {} test images of {} is of class {class}",
            count(data.len() as u64),
            data.name()
        );
        Ok(found)
    }
}

/// Refuses images that aren't there.
pub(super) fn check_indices(data: &Dataset, indices: &[usize]) -> Result<()> {
    match indices.iter().find(|&&index| index >= data.len()) {
        None => Ok(()),
        Some(index) => Err(usage(format!(
            "--index: there is no image {index}; {} has {} test images here, 0 to {}",
            data.name(),
            count(data.len() as u64),
            data.len() - 1
        ))
        .into()),
    }
}

/// Refuses classes that aren't there.
pub(super) fn check_classes(classes: usize, wanted: &[usize], flag: &str) -> Result<()> {
    match wanted.iter().find(|&&class| class >= classes) {
        None => Ok(()),
        Some(class) => Err(usage(format!(
            "{flag}: there is no class {class}; they are 0 to {}",
            classes - 1
        ))
        .into()),
    }
}
