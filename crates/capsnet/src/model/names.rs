//! What a model calls its classes.

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::Dataset;

use super::Classifier;

/// The names of all classes of a model: those in its weights, if there are any; of ten classes without names the
/// digits in words, for weights of digits had none once; else numbers.
pub fn class_names(model: &dyn Classifier) -> Vec<String> {
    let classes = model.input().classes;
    match model.class_names() {
        [] if classes == 10 => KnownSet::Mnist.class_names().map(String::from).to_vec(),
        names => {
            let numbers = (names.len()..classes).map(|class| class.to_string());
            names.iter().cloned().chain(numbers).collect()
        }
    }
}

/// The images under the names that a model has for its classes, where the data set itself says none.
#[must_use]
pub fn named_by<'a>(data: Dataset, models: impl IntoIterator<Item = &'a dyn Classifier>) -> Dataset {
    let knowing = |model: &&dyn Classifier| model.class_names().len() >= data.class_names().len();
    match models.into_iter().find(knowing) {
        Some(model) if !data.is_named() => data.called(model.class_names()),
        _ => data,
    }
}

/// Whether two names mean the same class: letters' case doesn't matter, and digits may be words.
pub(crate) fn same_class(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let name = name.trim().to_lowercase();
        let digits = KnownSet::Mnist.class_names();
        match digits.iter().position(|digit| *digit == name) {
            Some(digit) => digit.to_string(),
            None => name,
        }
    };
    one == other || plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_may_be_words() {
        for (one, other, same) in [
            ("zero", "0", true),
            ("Cat", "cat", true),
            ("one", "2", false),
            ("a", "b", false),
        ] {
            assert_eq!(same_class(one, other), same, "{one} {other}");
        }
    }
}
