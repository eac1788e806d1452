//! NumPy's `.npz`: `made.npz` and the like were written by NumPy 2 (`tests/fixtures/sources/make.py`), others are
//! written here by hand.

use std::path::{Path, PathBuf};

use capsnet_data::dataset::Split;

use super::{read, refused};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sources")
        .join(name)
}

/// Pixel `k` of image `i` of the fixtures.
fn level(image: usize, place: usize) -> u8 {
    (image * 31 + place * 7) as u8
}

#[test]
fn arrays_are_found_under_the_names_that_people_have() {
    for name in ["keras.npz", "keras-deflated.npz", "train_images.npz"] {
        for (split, count, shift) in [(Split::Train, 6, 0), (Split::Test, 3, 100)] {
            let set = read(&fixture(name), split);
            assert_eq!((set.shape(), set.len()), ([1, 4, 5], count), "{name}");
            assert!(
                set.labels()
                    .iter()
                    .enumerate()
                    .all(|(index, &label)| usize::from(label) == index % 3)
            );
            for index in 0..count {
                let expected: Vec<u8> = (0..20).map(|place| level(index + shift, place)).collect();
                assert_eq!(set.image(index), expected, "{name}");
            }
        }
    }
}

#[test]
fn channels_may_come_first_or_last() {
    let [last, first, single] =
        ["channels-last.npz", "channels-first.npz", "one-channel.npz"].map(|name| read(&fixture(name), Split::Train));
    assert_eq!(last.shape(), [3, 4, 5]);
    assert_eq!((last.pixels(), last.labels()), (first.pixels(), first.labels()));
    // [height, width, channel] of an image, by NumPy's own counting; which one is the first to train on, is drawn.
    let value =
        |image: usize, channel: usize, row: usize, column: usize| level(image, (row * 5 + column) * 3 + channel);
    let drawn = (0..6).find(|&image| last.image(0)[0] == value(image, 0, 0, 0)).unwrap();
    assert_eq!(last.image(0)[2 * 20 + 5 + 3], value(drawn, 2, 1, 3));
    assert_eq!(single.shape(), [1, 4, 5]);
}

#[test]
fn what_is_no_image_set_is_refused_by_its_kind() {
    for (name, parts) in [
        ("floats.npz", &["x_train", "<f4", "uint8"][..]),
        ("objects.npz", &["Python objects"]),
        ("one-hot.npz", &["6 x 3", "argmax"]),
        ("fortran.npz", &["Fortran"]),
        ("counts.npz", &["6 images", "5 labels"]),
        ("names.npz", &["no array", "pictures"]),
    ] {
        refused(&fixture(name), Split::Train, parts);
        refused(&fixture(name), Split::Train, &[name]);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.npz");
    let whole = std::fs::read(fixture("keras.npz")).unwrap();
    for len in [0, 10, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..len]).unwrap();
        refused(&path, Split::Train, &["cut.npz"]);
    }
    // A bit of a pixel: the checksum tells.
    let mut flipped = whole;
    let place = flipped.windows(4).position(|bytes| bytes == [0, 7, 14, 21]).unwrap();
    flipped[place + 40] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    refused(&path, Split::Train, &["x_train is damaged"]);
}
