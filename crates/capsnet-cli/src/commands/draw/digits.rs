//! Choosing test digits, and transforming them as `capsnet test` does.

use anyhow::Result;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Augment;
use capsnet_report::number::count;

use crate::args::DigitArgs;
use crate::setting::UsageError;
use capsnet::evaluate::Condition;

/// The test digits and the flags that choose among them.
pub struct Digits<'a> {
    pub data: &'a Dataset,
    pub args: &'a DigitArgs,
}

impl<'a> Digits<'a> {
    pub fn new(data: &'a Dataset, args: &'a DigitArgs) -> Self {
        Self { data, args }
    }

    /// The digits asked for; `default` of them where their number isn't given.
    pub fn chosen(&self, default: usize) -> Result<Vec<usize>> {
        if !self.args.index.is_empty() {
            check_indices(self.data, &self.args.index)?;
            return Ok(self.args.index.clone());
        }
        let wanted = self.args.count.unwrap_or(default);
        Ok(self.candidates()?.into_iter().take(wanted).collect())
    }

    /// The one digit of a picture that shows one.
    pub fn one(&self) -> Result<usize> {
        let several = self.args.index.len() > 1 || self.args.count.is_some_and(|count| count > 1);
        if several {
            let message = "this picture shows one digit: give one --index, or --class without --count";
            return Err(UsageError(message.to_owned()).into());
        }
        Ok(self.chosen(1)?[0])
    }

    /// All digits that may be shown, those of the class asked for.
    pub fn candidates(&self) -> Result<Vec<usize>> {
        let all = 0..self.data.len();
        let Some(class) = self.args.class else {
            return Ok(all.collect());
        };
        check_classes(self.data.class_names().len(), &[class], "--class")?;
        let found: Vec<usize> = all
            .filter(|&index| usize::from(self.data.label(index)) == class)
            .collect();
        anyhow::ensure!(
            !found.is_empty(),
            "none of the {} test images of {} is of class {class}",
            count(self.data.len() as u64),
            self.data.name()
        );
        Ok(found)
    }

    /// The condition that the flags and an angle make.
    pub fn condition(&self, rotate: Option<f64>) -> Result<Condition> {
        let transform = self.args.transform.clone().unwrap_or_default();
        if transform.normalize().is_some() {
            let message =
                "--transform: `normalize` is no matter of pictures; leave it out, the weights say how they normalise";
            return Err(UsageError(message.to_owned()).into());
        }
        Ok(Condition::new(&transform, rotate, self.args.resample)?)
    }

    /// The class of a digit.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.data.label(index))
    }

    /// Digits under a condition.
    pub fn images(&self, indices: &[usize], condition: &Condition) -> Vec<Vec<u8>> {
        let augment = Augment::from(condition.pipeline.clone());
        let image = |&index: &usize| augment.image(self.data, Seed(self.args.seed), 0, index);
        indices.iter().map(image).collect()
    }
}

/// Refuses images that aren't there.
pub fn check_indices(data: &Dataset, indices: &[usize]) -> Result<()> {
    match indices.iter().find(|&&index| index >= data.len()) {
        None => Ok(()),
        Some(index) => Err(UsageError(format!(
            "--index: there is no image {index}; {} has {} test images here, 0 to {}",
            data.name(),
            count(data.len() as u64),
            data.len() - 1
        ))
        .into()),
    }
}

/// Refuses classes that aren't there.
pub fn check_classes(classes: usize, wanted: &[usize], flag: &str) -> Result<()> {
    match wanted.iter().find(|&&class| class >= classes) {
        None => Ok(()),
        Some(class) => Err(UsageError(format!(
            "{flag}: there is no class {class}; they are 0 to {}",
            classes - 1
        ))
        .into()),
    }
}
