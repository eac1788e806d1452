//! The original affNIST files, read from small ones that SciPy wrote (`tests/fixtures/affnist/make.py`).

use std::path::PathBuf;

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MatFault, parse_affnist, read_affnist};
use proptest::prelude::*;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/affnist")
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn parse(bytes: &[u8]) -> Result<Dataset, MatFault> {
    parse_affnist(bytes, bytes.len() as u64, None)
}

/// The formula in `make.py`.
fn check(set: &Dataset, side: usize, count: usize) {
    assert_eq!((set.len(), set.height(), set.width()), (count, side, side));
    for n in 0..count {
        assert_eq!(usize::from(set.label(n)), (3 * n + 1) % 10);
        for (p, &level) in set.image(n).iter().enumerate() {
            let expected = if p % 3 == 0 { (7 * p + 31 * n + p * n) % 256 } else { 0 };
            assert_eq!(usize::from(level), expected, "pixel {p} of image {n}");
        }
    }
    assert_eq!(set.class_names()[9], "nine");
}

#[test]
fn files_are_read_compressed_or_not_and_in_any_type_of_number() {
    check(&read_affnist(&path("compressed.mat"), None).unwrap(), 40, 5);
    check(&read_affnist(&path("plain.mat"), None).unwrap(), 4, 3);
    check(&read_affnist(&path("doubles.mat"), None).unwrap(), 3, 3);
}

#[test]
fn a_limit_keeps_the_first_images() {
    for (name, side, count) in [("compressed.mat", 40, 5), ("plain.mat", 4, 3), ("doubles.mat", 3, 3)] {
        for limit in 1..=count + 1 {
            let set = read_affnist(&path(name), Some(limit.try_into().unwrap())).unwrap();
            check(&set, side, limit.min(count));
        }
    }
}

#[test]
fn faults_are_named_with_the_file() {
    for (name, expected) in [
        ("other.mat", "has no variable affNISTdata"),
        ("no_labels.mat", "has no field label_int in its struct"),
        ("odd.mat", "has images of dimensions [15, 2]; expected pixels x count"),
        (
            "fraction.mat",
            "number 1 of the field label_int is not a whole number of 0 to 255",
        ),
        ("many_labels.mat", "has 2 images but 3 labels"),
        ("label_10.mat", "label 0 is 10"),
        ("make.py", "is no MATLAB 5 file"),
        ("missing.mat", "can't be read"),
        (".", "is not a regular file"),
    ] {
        let message = read_affnist(&path(name), None).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(expected), "{message}");
    }
}

#[test]
fn other_kinds_of_matlab_file_are_told_apart() {
    let mut file = bytes("plain.mat");
    file[124..128].copy_from_slice(&[0, 2, b'I', b'M']);
    assert!(matches!(parse(&file), Err(MatFault::Hdf5)));
    file[124..128].copy_from_slice(&[1, 0, b'M', b'I']);
    assert!(matches!(parse(&file), Err(MatFault::BigEndian)));
    file[124..128].copy_from_slice(&[0; 4]);
    assert!(matches!(parse(&file), Err(MatFault::NotMat5)));
}

/// Wherever a file is cut, that is said.
#[test]
fn cut_files_are_refused() {
    for (name, step) in [("plain.mat", 1), ("doubles.mat", 1), ("compressed.mat", 7)] {
        let file = bytes(name);
        for len in (0..file.len()).step_by(step).chain([file.len() - 1]) {
            assert!(parse(&file[..len]).is_err(), "{name} cut to {len} bytes");
            // The length may be wrong, as of a file that shrinks while it is read.
            let lie = parse_affnist(&file[..len], file.len() as u64, None);
            assert!(lie.is_err(), "{name} cut to {len} bytes");
        }
    }
}

/// A compressed file has a checksum, which no damage to the images escapes.
#[test]
fn no_flipped_bit_of_a_compressed_file_changes_an_image() {
    let file = bytes("compressed.mat");
    let mut harmless = 0;
    // After the header and the element's own tag.
    for at in 136..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        // A copy from another place of equal content unpacks to the same.
        if let Ok(set) = parse(&damaged) {
            check(&set, 40, 5);
            harmless += 1;
        }
    }
    assert!(harmless < file.len() / 20, "{harmless}");
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        name in prop_oneof![Just("plain.mat"), Just("doubles.mat"), Just("compressed.mat")],
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = bytes(name);
        for (at, value) in damage {
            let at = at.index(file.len());
            file[at] = value;
        }
        if let Ok(set) = parse(&file) {
            prop_assert!(set.len() <= file.len() * 1032);
        }
    }
}
