//! The MNIST files of this repository: complete, unaltered, and read as they should be.

use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::{Dataset, Split};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

fn mnist() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist")
}

#[test]
fn the_files_have_the_known_length_and_checksum() {
    for file in KnownSet::Mnist.files() {
        let path = mnist().join(format!("{}.gz", file.name));
        let mut unpacked = Vec::new();
        GzDecoder::new(File::open(path).unwrap())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked.len() as u64, file.unpacked_len, "{}", file.name);
        let digest: String = Sha256::digest(&unpacked)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, file.unpacked_sha256, "{}", file.name);
    }
}

/// Counts and first labels are those in the description of the database; how often each digit occurs was counted with
/// numpy 2.4: `np.bincount(labels)`.
#[test]
fn both_splits_load() {
    let train = Dataset::load(&mnist(), Split::Train).unwrap();
    assert_eq!(train.name(), "mnist");
    assert_eq!((train.len(), train.height(), train.width()), (60_000, 28, 28));
    assert_eq!(train.labels()[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    assert_eq!(
        counts(&train),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    );

    let test = Dataset::load(&mnist(), Split::Test).unwrap();
    assert_eq!((test.len(), test.height(), test.width()), (10_000, 28, 28));
    assert_eq!(test.labels()[..8], [7, 2, 1, 0, 4, 1, 4, 9]);
    assert_eq!(counts(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(test.class_names()[usize::from(test.label(0))], "seven");
    // Row 7 of the first test image, the bar of a seven.
    assert_eq!(
        test.image(0)[7 * 28 + 5..7 * 28 + 13],
        [0, 84, 185, 159, 151, 60, 36, 0]
    );

    let few = test.take(NonZeroUsize::new(3).unwrap());
    assert_eq!((few.len(), few.pixels().len()), (3, 3 * 784));
}

fn counts(set: &Dataset) -> [usize; 10] {
    let mut counts = [0; 10];
    for &label in set.labels() {
        counts[usize::from(label)] += 1;
    }
    counts
}
