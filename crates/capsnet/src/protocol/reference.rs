//! What robustness on digits is held against: this library's LeNet-5, tested on the same images.

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::Dataset;

use super::Tester;
use crate::Error;
use crate::evaluate::check_fits;
use crate::model::{Classifier, Model, same_class};
use crate::pretrained;

/// LeNet-5 with the weights of this library, where the images are digits of its size: on others it means nothing.
///
/// # Errors
///
/// If its weights can't be read.
pub(super) fn reference(tester: &Tester, data: &Dataset) -> Result<Option<Model>, Error> {
    let (names, digits) = (data.class_names(), KnownSet::Mnist.class_names());
    let same = names.iter().zip(digits).all(|(name, digit)| same_class(name, digit));
    if names.len() != digits.len() || !same {
        return Ok(None);
    }
    let lenet5 = pretrained::lenet5(tester.device)?;
    Ok(check_fits(data, lenet5.input()).is_ok().then_some(lenet5))
}
