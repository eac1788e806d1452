//! The digits inside the library are those that `--limit 1000` takes out of the whole test set.

use std::path::Path;

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::embedded::{DIGITS, SEED, TAKEN_OF, digits};

#[test]
fn they_are_the_sample_of_the_whole_test_set() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let all = Dataset::load(&folder, Split::Test).unwrap();
    assert_eq!(all.len(), TAKEN_OF);
    assert_eq!(all.sample(DIGITS, SEED), digits());
}
