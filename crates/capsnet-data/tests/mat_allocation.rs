//! Arbitrary bytes given to the reader of MATLAB files never make it panic, nor take memory out of proportion to their
//! number.
//!
//! A file of its own, because it counts the allocations of the whole process.

mod noting;

use std::io::Write;

use capsnet_data::protocol::{MatFault, parse_affnist};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use noting::{Noting, largest_request};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[global_allocator]
static ALLOCATOR: Noting = Noting;

/// One element: its type, its length as declared, its data and their padding.
fn element(kind: u32, declared: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), declared.to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn exact(kind: u32, data: &[u8]) -> Vec<u8> {
    element(kind, data.len() as u32, data)
}

/// The bytes of a matrix of this class up to its data.
fn matrix(class: u8, dims: &[i32], name: &str) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
    [
        exact(6, &[class, 0, 0, 0, 0, 0, 0, 0]),
        exact(5, &dims),
        exact(1, name.as_bytes()),
    ]
    .concat()
}

/// A struct `affNISTdata` with these two fields, as declared by `declared` or as long as it is.
fn affnist(image: &[u8], labels: &[u8], declared: Option<u32>) -> Vec<u8> {
    let mut names = vec![0; 64];
    names[..5].copy_from_slice(b"image");
    names[32..41].copy_from_slice(b"label_int");
    let fields = [
        matrix(2, &[1, 1], "affNISTdata"),
        exact(5, &32i32.to_le_bytes()),
        exact(1, &names),
    ]
    .concat();
    let body = [fields, exact(14, image), exact(14, labels)].concat();
    element(14, declared.unwrap_or(body.len() as u32), &body)
}

fn file(elements: &[u8], zipped: bool) -> Vec<u8> {
    let mut bytes = vec![b' '; 124];
    bytes.extend([0, 1, b'I', b'M']);
    if zipped {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(elements).unwrap();
        let packed = encoder.finish().unwrap();
        bytes.extend([15u32.to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat());
        bytes.extend(packed);
    } else {
        bytes.extend(elements);
    }
    bytes
}

/// Files that begin well and go on with anything: bytes, structs of any dimensions and lengths, noise within.
fn hostile_file() -> impl Strategy<Value = Vec<u8>> {
    let noise = || prop::collection::vec(any::<u8>(), 0..200);
    let dims = prop_oneof![
        prop::collection::vec(any::<i32>(), 0..5),
        Just(vec![1600, i32::MAX / 1600]),
        Just(vec![16, 4]),
    ];
    let kind = prop_oneof![0..20u32, any::<u32>()];
    let length = prop_oneof![0..300u32, any::<u32>()];
    let field = (0..20u8, dims, kind, length, noise()).prop_map(|(class, dims, kind, length, data)| {
        [matrix(class, &dims, ""), element(kind, length, &data)].concat()
    });
    let structs = (field.clone(), field, prop::option::of(any::<u32>()))
        .prop_map(|(image, labels, declared)| affnist(&image, &labels, declared));
    (prop_oneof![structs, noise()], any::<bool>()).prop_map(|(elements, zipped)| file(&elements, zipped))
}

/// One test for all cases, because a second would allocate beside the first.
#[test]
fn hostile_bytes_neither_panic_nor_allocate_wildly() {
    let mut runner = TestRunner::new(Config::with_cases(3000));
    runner
        .run(&hostile_file(), |bytes| {
            let largest = largest_request(|| {
                let _ = parse_affnist(&bytes[..], bytes.len() as u64, None);
            });
            // The window and buffers of the unpacker are the constant part.
            let allowed = 256 * 1024 + 2 * 1032 * bytes.len();
            prop_assert!(largest <= allowed, "{largest} bytes at once for {}", bytes.len());
            Ok(())
        })
        .unwrap();

    // The builder above makes good files too, so that what it varies is reached.
    let labels = [matrix(9, &[1, 4], ""), exact(2, &[1, 2, 3, 4])].concat();
    let image = [matrix(9, &[16, 4], ""), exact(2, &[7; 64])].concat();
    for zipped in [false, true] {
        let good = file(&affnist(&image, &labels, None), zipped);
        let set = parse_affnist(&good[..], good.len() as u64, None).unwrap();
        assert_eq!((set.labels(), set.image(3)), (&[1, 2, 3, 4][..], &[7; 16][..]));
    }

    // Two gigabytes of images declared, none there; and the same from a bomb of 32 MB whose images aren't wanted.
    let huge = [matrix(9, &[1600, 1_300_000], ""), element(2, 1600 * 1_300_000, &[])].concat();
    for zipped in [false, true] {
        let lie = file(&affnist(&huge, &labels, None), zipped);
        let largest = largest_request(|| {
            assert!(matches!(
                parse_affnist(&lie[..], u64::MAX, None),
                Err(MatFault::Overrun { .. })
            ));
        });
        assert!(largest <= 256 * 1024, "{largest} bytes at once");
    }
    let unwanted = [matrix(9, &[16, 2_000_000], ""), exact(2, &vec![0; 32_000_000])].concat();
    let bomb = file(&exact(14, &unwanted), true);
    assert!(bomb.len() < 200_000);
    let largest = largest_request(|| {
        assert!(matches!(
            parse_affnist(&bomb[..], bomb.len() as u64, None),
            Err(MatFault::NoVariable { .. })
        ));
    });
    assert!(largest <= 256 * 1024, "{largest} bytes at once");
}
