//! MATLAB files as SVHN has them: `X`, height x width x colours x count, and `y`.

use std::fs;
use std::io::Write;
use std::path::Path;

use capsnet_data::dataset::Split;
use capsnet_data::source::{self, Options};
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// An element of a MATLAB 5 file, padded to eight bytes.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut element = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    element.extend(data);
    element.resize(element.len().next_multiple_of(8), 0);
    element
}

/// A variable of bytes.
fn variable(name: &str, dims: &[i32], values: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
    let parts = [
        element(6, &[9, 0, 0, 0, 0, 0, 0, 0]),
        element(5, &dims),
        element(1, name.as_bytes()),
        element(2, values),
    ];
    element(14, &parts.concat())
}

fn zipped(matrix: &[u8]) -> Vec<u8> {
    let mut zipped = ZlibEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(matrix).unwrap();
    let zipped = zipped.finish().unwrap();
    [
        &15u32.to_le_bytes()[..],
        &(zipped.len() as u32).to_le_bytes(),
        &zipped[..],
    ]
    .concat()
}

fn write(path: &Path, variables: &[Vec<u8>]) {
    let mut header = vec![b' '; 124];
    header.extend([0, 1, b'I', b'M']);
    fs::write(path, [&header[..], &variables.concat()[..]].concat()).unwrap();
}

/// The level of an image's pixel.
fn level(image: usize, channel: usize, row: usize, column: usize) -> u8 {
    (60 * image + 20 * channel + 5 * row + column) as u8
}

/// Three images of 4 x 2 pixels in three colours, as MATLAB lays them: column by column, colour by colour.
fn stack(channels: usize) -> Vec<u8> {
    let mut values = Vec::new();
    for image in 0..3 {
        for channel in 0..channels {
            for column in 0..2 {
                values.extend((0..4).map(|row| level(image, channel, row, column)));
            }
        }
    }
    values
}

#[test]
fn images_behind_each_other_are_read_in_colour_and_grey() {
    let root = tempfile::tempdir().unwrap();
    let load = |split| source::load(root.path(), split, &Options::default()).unwrap().data;
    let x = variable("X", &[4, 2, 3, 3], &stack(3));
    // Digits from 1 on, 10 standing for 0.
    let y = variable("y", &[3, 1], &[1, 10, 2]);
    for variables in [[x.clone(), y.clone()], [y.clone(), x.clone()], [zipped(&x), zipped(&y)]] {
        write(&root.path().join("train_32x32.mat"), &variables);
        write(&root.path().join("test_32x32.mat"), &variables);
        for split in [Split::Train, Split::Test] {
            let data = load(split);
            assert_eq!((data.shape(), data.labels()), ([3, 4, 2], &[1, 0, 2][..]));
            for image in 0..3 {
                for (at, &pixel) in data.image(image).iter().enumerate() {
                    assert_eq!(pixel, level(image, at / 8, at / 2 % 4, at % 2));
                }
            }
        }
    }
    let grey = [variable("X", &[4, 2, 3], &stack(1)), variable("y", &[1, 3], &[0, 1, 2])];
    write(&root.path().join("train_32x32.mat"), &grey);
    let data = load(Split::Train);
    assert_eq!((data.shape(), data.labels()), ([1, 4, 2], &[0, 1, 2][..]));
    assert_eq!(data.image(2)[5], level(2, 0, 2, 1));
}

#[test]
fn what_is_no_stack_of_images_is_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("set.mat");
    let y = || variable("y", &[3, 1], &[1, 2, 3]);
    let x = |dims: &[i32]| variable("X", dims, &stack(3)[..dims.iter().product::<i32>() as usize]);
    for (variables, said) in [
        (
            vec![variable("Z", &[1, 1], &[1]), y()],
            "neither the struct affNISTdata",
        ),
        (vec![x(&[4, 2, 3, 3])], "neither"),
        (vec![x(&[4, 2, 2, 3]), y()], "dimensions [4, 2, 2, 3]"),
        (vec![x(&[4, 6]), y()], "dimensions [4, 6]"),
        (vec![x(&[4, 2, 3, 2]), y()], "has 2 images but 3 labels"),
        (
            vec![variable("X", &[4, 2, 3, 3], &[0; 9]), y()],
            "9 bytes in the field X for 72 numbers",
        ),
        (vec![variable("X", &[0, 2, 3, 3], &[]), y()], "dimensions [0, 2, 3, 3]"),
        (vec![variable("X", &[-1, 2, 3, 3], &[]), y()], "a dimension of -1"),
    ] {
        write(&path, &variables);
        let error = source::load(root.path(), Split::Train, &Options::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("set.mat") && error.contains(said), "{error}");
    }
    // Cut anywhere it is refused, never half read.
    write(&path, &[zipped(&x(&[4, 2, 3, 3])), zipped(&y())]);
    let whole = fs::read(&path).unwrap();
    for len in (0..whole.len()).step_by(3) {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(
            source::load(root.path(), Split::Train, &Options::default()).is_err(),
            "{len} bytes"
        );
    }
}
