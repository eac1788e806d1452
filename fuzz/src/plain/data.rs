//! Readers of pictures and data sets.

use std::path::Path;

use capsnet_data::dataset::Split;
use capsnet_data::idx::{parse_images, parse_labels};
use capsnet_data::picture::Picture;
use capsnet_data::prepare::{self, prepare};
use capsnet_data::protocol::parse_affnist;
use capsnet_data::source::{Options, load};

use super::{craft, scratch};

/// Images or labels, plain and packed.
pub(crate) fn idx(bytes: &[u8]) {
    let packed = craft::gzip(bytes);
    for bytes in [bytes, &packed] {
        let length = bytes.len() as u64;
        if let Ok(images) = parse_images(bytes, length) {
            assert_eq!(
                images.pixels.len(),
                images.count * images.channels * images.height * images.width
            );
        }
        let _ = parse_labels(bytes, length);
    }
}

/// MATLAB's files, as they are and with their first variable packed.
pub(crate) fn mat(bytes: &[u8]) {
    let _ = parse_affnist(bytes, bytes.len() as u64, None);
    let mut header = [b' '; 128];
    header[124..].copy_from_slice(&[0, 1, b'I', b'M']);
    let packed = craft::zlib(bytes);
    let file = [
        &header[..],
        &15u32.to_le_bytes(),
        &(packed.len() as u32).to_le_bytes(),
        &packed,
    ]
    .concat();
    let _ = parse_affnist(&file[..], file.len() as u64, None);
}

/// A picture of any format, brought to a model's size in both ways.
pub(crate) fn picture(bytes: &[u8]) {
    let Ok(picture) = Picture::decode(bytes) else { return };
    // What happens then takes time in proportion, of which there is little here.
    if picture.width() * picture.height() > 1 << 16 {
        return;
    }
    let grey = picture.stretched(28, 28, false).expect("it was decoded");
    assert_eq!(grey.len(), 28 * 28);
    assert_eq!(
        picture.stretched_colours(8, 8, true).expect("it was decoded").len(),
        3 * 64
    );
    let _ = prepare(&picture, 28, 28, &prepare::Options::default());
}

fn both(path: &Path) {
    for split in [Split::Train, Split::Test] {
        if let Ok(loaded) = load(path, split, &Options::default()) {
            let data = loaded.data;
            assert!((0..data.len()).all(|index| usize::from(data.label(index)) < data.class_names().len()));
        }
    }
}

/// A table of a label and pixels a line.
pub(crate) fn csv(bytes: &[u8]) {
    scratch::with_file("set.csv", bytes, both);
}

/// An archive of arrays, as it is.
pub(crate) fn npz(bytes: &[u8]) {
    scratch::with_file("set.npz", bytes, both);
}

/// An array among sound ones: of labels or of images, stored or deflated.
pub(crate) fn npy(bytes: &[u8]) {
    let (kind, array) = craft::choice(bytes);
    let header = |text: &str, data: &[u8]| {
        let text = format!("{text:<117}\n");
        [b"\x93NUMPY\x01\x00v\x00", text.as_bytes(), data].concat()
    };
    let images = header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3, 3), }",
        &[7; 36],
    );
    let labels = header(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }",
        &[0, 1, 0, 1],
    );
    let entries: [(&str, &[u8]); 2] = match kind % 2 {
        0 => [("x.npy", array), ("y.npy", &labels)],
        _ => [("x.npy", &images), ("y.npy", array)],
    };
    npz(&craft::zip(&entries, kind & 2 == 2));
}
