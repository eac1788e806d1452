//! The IDX reader and writer: every way a file can be wrong, and that right files come back as written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use capsnet_data::idx::{
    IdxFault, MAX_SIDE, parse_images, parse_labels, read_idx_images, read_idx_labels, write_idx_images,
    write_idx_labels,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

/// A header of `element` type with `dims`, followed by `data`.
fn idx(element: u8, dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, element, dims.len() as u8];
    for dim in dims {
        bytes.extend(dim.to_be_bytes());
    }
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images_fault(bytes: &[u8]) -> IdxFault {
    parse_images(bytes, bytes.len() as u64).unwrap_err()
}

fn in_folder(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// Asserts that raw and gzipped `bytes` both fail with a message that has all `parts`.
fn assert_refused(bytes: &[u8], parts: &[&str]) {
    for stored in [bytes.to_vec(), gzip(bytes)] {
        let message = images_fault(&stored).to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in `{message}`");
        }
    }
}

#[test]
fn reads_raw_and_gzipped_whatever_the_name() {
    let bytes = idx(8, &[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for stored in [bytes.clone(), gzip(&bytes)] {
        for name in ["images", "images.gz"] {
            let (_folder, path) = in_folder(name);
            fs::write(&path, &stored).unwrap();
            let images = read_idx_images(&path).unwrap();
            assert_eq!((images.count, images.height, images.width), (2, 2, 3));
            assert_eq!(images.pixels, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        }
    }
    let labels = idx(8, &[3], &[7, 0, 9]);
    assert_eq!(parse_labels(&labels[..], labels.len() as u64).unwrap(), [7, 0, 9]);
}

#[test]
fn gzip_in_several_members_is_one_file() {
    let bytes = idx(8, &[1, 2, 2], &[1, 2, 3, 4]);
    let mut members = gzip(&bytes[..7]);
    members.extend(gzip(&bytes[7..]));
    let images = parse_images(&members[..], members.len() as u64).unwrap();
    assert_eq!(images.pixels, [1, 2, 3, 4]);
}

#[test]
fn an_empty_file_is_refused() {
    assert!(matches!(images_fault(&[]), IdxFault::Empty));
    let message = images_fault(&gzip(&[])).to_string();
    assert!(message.contains("0 of 16 bytes"), "{message}");
}

#[test]
fn a_truncated_header_is_refused() {
    let bytes = idx(8, &[2, 2, 3], &[]);
    for len in [1, 3, 4, 15] {
        assert_refused(&bytes[..len], &["inside its header", &format!("{len} of 16 bytes")]);
    }
}

#[test]
fn a_wrong_magic_is_refused_with_what_was_found_and_expected() {
    assert_refused(
        b"<!DOCTYPE html><html>not found</html>",
        &["0x3c21444f", "0x00000803", "images"],
    );
    assert_refused(&[0; 4096], &["begins with zeros", "0x00000803"]);
}

#[test]
fn images_and_labels_are_not_mistaken_for_each_other() {
    let labels = idx(8, &[3], &[1, 2, 3]);
    assert_refused(&labels, &["has 1 dimension(s)", "images have 3", "swapped"]);
    let images = idx(8, &[1, 1, 1], &[0]);
    let fault = parse_labels(&images[..], images.len() as u64).unwrap_err();
    assert!(matches!(
        fault,
        IdxFault::WrongDimensions {
            found: 3,
            expected: 1,
            ..
        }
    ));
}

#[test]
fn other_element_types_are_refused_by_name() {
    for (code, name) in [
        (0x09, "signed byte"),
        (0x0b, "16-bit integer"),
        (0x0c, "32-bit integer"),
        (0x0d, "32-bit float"),
        (0x0e, "64-bit float"),
    ] {
        assert_refused(&idx(code, &[1, 1, 1], &[0; 8]), &[name, &format!("{code:#04x}")]);
    }
}

#[test]
fn a_dimension_of_zero_is_refused_by_name() {
    for (dims, name) in [([0, 28, 28], "count"), ([5, 0, 28], "height"), ([5, 28, 0], "width")] {
        assert_refused(&idx(8, &dims, &[]), &[&format!("{name} of zero")]);
    }
}

#[test]
fn truncated_data_is_refused_with_how_much_there_is() {
    let bytes = idx(8, &[2, 2, 3], &[1; 11]);
    assert_refused(&bytes, &["truncated", "11 of 12 bytes"]);
}

#[test]
fn a_cut_gzip_stream_is_refused() {
    // Noise doesn't compress, so that half the stream is about half the data.
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let noise: Vec<u8> = (0..4096).map(|_| next()).collect();
    let stored = gzip(&idx(8, &[4, 32, 32], &noise));
    let half = images_fault(&stored[..stored.len() / 2]);
    assert!(
        matches!(
            half,
            IdxFault::Truncated {
                found: 1000..3000,
                expected: 4096
            }
        ),
        "{half}"
    );
    // Cut in the checksum after the data.
    assert!(matches!(images_fault(&stored[..stored.len() - 3]), IdxFault::Gzip(_)));
}

#[test]
fn a_damaged_gzip_stream_is_refused() {
    let mut stored = gzip(&idx(8, &[4, 8, 8], &[9; 256]));
    let checksum = stored.len() - 8;
    stored[checksum] ^= 1;
    assert!(matches!(images_fault(&stored), IdxFault::Gzip(_)));
}

#[test]
fn trailing_bytes_are_refused() {
    assert_refused(&idx(8, &[1, 2, 2], &[1, 2, 3, 4, 5]), &["after its 4 bytes"]);
}

/// As gzip does, which says "decompression OK, trailing garbage ignored".
#[test]
fn what_follows_a_gzip_stream_is_passed_over() {
    for tail in [&[0; 512][..], b"more", b"\0\0more"] {
        let mut stored = gzip(&idx(8, &[1, 2, 2], &[1, 2, 3, 4]));
        stored.extend(tail);
        let images = parse_images(&stored[..], stored.len() as u64).unwrap();
        assert_eq!(images.pixels, [1, 2, 3, 4]);
    }
}

#[test]
fn four_dimensions_are_channels_too() {
    let read = |dims: [u32; 4], pixels: &[u8]| {
        let bytes = idx(8, &dims, pixels);
        let images = parse_images(&bytes[..], bytes.len() as u64).unwrap();
        (
            [images.count, images.channels, images.height, images.width],
            images.pixels,
        )
    };
    let grey = [1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(read([2, 2, 2, 1], &grey), ([2, 1, 2, 2], grey.to_vec()));
    assert_eq!(read([2, 1, 2, 2], &grey), ([2, 1, 2, 2], grey.to_vec()));
    // Two pixels, red green blue side by side; then the same plane by plane.
    let planes = vec![10, 20, 11, 21, 12, 22];
    assert_eq!(
        read([1, 1, 2, 3], &[10, 11, 12, 20, 21, 22]),
        ([1, 3, 1, 2], planes.clone())
    );
    assert_eq!(read([1, 3, 1, 2], &planes), ([1, 3, 1, 2], planes));
    assert_refused(&idx(8, &[1, 2, 5, 2], &[0; 20]), &["2 x 5 x 2", "fourth dimension"]);
}

#[test]
fn labels_may_be_whole_numbers_in_columns() {
    let labels = |element: u8, dims: &[u32], data: &[u8]| {
        let bytes = idx(element, dims, data);
        parse_labels(&bytes[..], bytes.len() as u64)
    };
    // QMNIST: rows of eight numbers of 32 bits, the first of which is the class.
    let rows: Vec<u8> = [[5i32, 0, 2433, 36, 0, 0, 0, 0], [7, 1, -1, 0, 3, 9, 9, 9]]
        .concat()
        .into_iter()
        .flat_map(i32::to_be_bytes)
        .collect();
    assert_eq!(labels(0x0c, &[2, 8], &rows).unwrap(), [5, 7]);
    assert_eq!(labels(0x0c, &[2], &[0, 0, 0, 255, 0, 0, 0, 3]).unwrap(), [255, 3]);
    assert_eq!(labels(0x0b, &[1], &[0, 9]).unwrap(), [9]);
    assert_eq!(labels(8, &[3, 1], &[1, 2, 3]).unwrap(), [1, 2, 3]);
    for (value, shown) in [(-1i32, "is -1"), (256, "is 256")] {
        let fault = labels(0x0c, &[1], &value.to_be_bytes()).unwrap_err().to_string();
        assert!(fault.contains(shown), "{fault}");
    }
    assert!(matches!(
        labels(0x0d, &[1], &[0; 4]),
        Err(IdxFault::UnsupportedElement { .. })
    ));
}

#[test]
fn headers_in_the_other_order_are_read() {
    let pixels: Vec<u8> = (0..12).collect();
    let sizes: Vec<u8> = [2u32, 2, 3].into_iter().flat_map(u32::to_le_bytes).collect();
    for magic in [[3, 8, 0, 0], [0, 0, 8, 3]] {
        let bytes = [&magic[..], &sizes, &pixels].concat();
        for stored in [bytes.clone(), gzip(&bytes)] {
            let images = parse_images(&stored[..], stored.len() as u64).unwrap();
            assert_eq!((images.count, images.height, images.width), (2, 2, 3));
            assert_eq!(images.pixels, pixels);
        }
    }
    let labels = [&[1, 8, 0, 0][..], &3u32.to_le_bytes(), &[7, 8, 9]].concat();
    assert_eq!(parse_labels(&labels[..], labels.len() as u64).unwrap(), [7, 8, 9]);
}

/// 2.7 million blank images in 2 MB would be 2.1 GB: refused by the header alone.
#[test]
fn a_file_that_was_made_to_fill_memory_is_refused() {
    let mut stored = gzip(&idx(8, &[200_000, 28, 28], &[0; 784]));
    stored.resize(1 << 20, 0);
    let fault = images_fault(&stored);
    assert!(
        matches!(
            fault,
            IdxFault::TooDense {
                declared: 156_800_000,
                ..
            }
        ),
        "{fault}"
    );
    assert!(fault.to_string().contains("gunzip"));
}

/// Every image takes memory beside its pixels, and every label a place: labels, order and classes of a set.
#[test]
fn many_tiny_images_are_as_large_as_they_are_many() {
    let stored = gzip(&idx(8, &[3_000_000, 1, 1], &[0; 3_000_000]));
    let fault = images_fault(&stored);
    assert!(
        matches!(
            fault,
            IdxFault::TooDense {
                declared: 3_000_000,
                ..
            }
        ),
        "{fault}"
    );
    let labels = gzip(&idx(8, &[3_000_000], &[0; 3_000_000]));
    let fault = parse_labels(&labels[..], labels.len() as u64).unwrap_err();
    assert!(matches!(fault, IdxFault::TooDense { .. }), "{fault}");
    let fewer = gzip(&idx(8, &[900_000, 1, 1], &[0; 900_000]));
    assert_eq!(
        parse_images(&fewer[..], fewer.len() as u64).unwrap().pixels.len(),
        900_000
    );
}

#[test]
fn absurd_sizes_are_refused() {
    assert_refused(
        &idx(8, &[u32::MAX, 28, 28], &[0; 784]),
        &["declares 3367254359280 bytes", "at most 2147483648"],
    );
    assert_refused(&idx(8, &[1, MAX_SIDE + 1, 28], &[]), &["4097x28", "at most 4096x4096"]);
    assert_refused(
        &idx(8, &[u32::MAX, u32::MAX, u32::MAX], &[]),
        &["4294967295x4294967295"],
    );
    // Within the ceilings, but more than so small a file can unpack to.
    let bomb = gzip(&idx(8, &[100_000, 28, 28], &[0; 784]));
    assert!(matches!(
        images_fault(&bomb),
        IdxFault::ImpossibleSize {
            declared: 78_400_000,
            ..
        }
    ));
}

#[test]
fn messages_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let message = read_idx_labels(&absent).unwrap_err().to_string();
    assert!(message.starts_with(&absent.display().to_string()), "{message}");
    assert!(message.contains("can't be read"), "{message}");

    let error = read_idx_images(folder.path()).unwrap_err();
    assert_eq!(error.path, folder.path());
    assert!(matches!(error.fault, IdxFault::NotAFile));
}

#[test]
fn the_writer_refuses_what_the_reader_would() {
    let (_folder, path) = in_folder("out");
    for result in [
        write_idx_images(&path, 2, 2, &[1, 2, 3]),
        write_idx_images(&path, 2, 2, &[]),
        write_idx_images(&path, 0, 2, &[1]),
        write_idx_images(&path, usize::MAX, 2, &[1]),
        write_idx_images(&path, 1, 5000, &[0; 5000]),
        write_idx_labels(&path, &[]),
    ] {
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    }
    assert!(!Path::new(&path).exists());
}

proptest! {
    // Every case waits for the disk twice.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read_back(
        height in 1usize..6, width in 1usize..6, count in 1usize..6, seed in any::<u8>(),
    ) {
        let (folder, path) = in_folder("images");
        let pixels: Vec<u8> = (0..count * height * width)
            .map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed))
            .collect();
        write_idx_images(&path, height, width, &pixels).unwrap();
        let images = read_idx_images(&path).unwrap();
        prop_assert_eq!((images.count, images.height, images.width), (count, height, width));
        prop_assert_eq!(&images.pixels, &pixels);

        let path = folder.path().join("labels");
        write_idx_labels(&path, &pixels).unwrap();
        prop_assert_eq!(read_idx_labels(&path).unwrap(), pixels);
    }
}

proptest! {
    /// The header decides alone: exactly the declared number of bytes is accepted, any other refused.
    #[test]
    fn only_the_declared_length_is_accepted(
        dims in [1u32..5, 1..5, 1..5], len in 0usize..130, zipped in any::<bool>(),
    ) {
        let plain = idx(8, &dims, &vec![7; len]);
        let stored = if zipped { gzip(&plain) } else { plain };
        let right = dims.iter().product::<u32>() as usize == len;
        prop_assert_eq!(parse_images(&stored[..], stored.len() as u64).is_ok(), right);
    }
}
