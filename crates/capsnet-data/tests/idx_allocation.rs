//! Arbitrary bytes given to the IDX reader never make it panic, nor take memory out of proportion to their number.
//!
//! A file of its own, because it counts the allocations of the whole process.

mod noting;

use std::io::Write;

use capsnet_data::idx::{parse_images, parse_labels};
use noting::{Noting, largest_request};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[global_allocator]
static ALLOCATOR: Noting = Noting;

/// Bytes that begin like an IDX file, raw or gzipped, or don't.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let tail = prop::collection::vec(any::<u8>(), 0..300);
    let header = prop_oneof![
        Just(vec![]),
        Just(vec![0x1f, 0x8b]),
        Just(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        Just(vec![0, 0, 8, 1]),
        Just(vec![0, 0, 8, 3]),
        any::<[u32; 3]>().prop_map(|dims| {
            let mut header = vec![0, 0, 8, 3];
            header.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
            header
        }),
    ];
    (header, tail, any::<bool>()).prop_map(|(mut bytes, tail, zipped)| {
        bytes.extend(tail);
        if zipped {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        bytes
    })
}

/// One test for both cases, because a second would allocate beside the first.
#[test]
fn hostile_bytes_neither_panic_nor_allocate_wildly() {
    let mut runner = TestRunner::new(Config::with_cases(2000));
    runner
        .run(&hostile_bytes(), |bytes| {
            let largest = largest_request(|| {
                let _ = parse_images(&bytes[..], bytes.len() as u64);
                let _ = parse_labels(&bytes[..], bytes.len() as u64);
            });
            // The window and buffers of the unpacker are the constant part.
            let allowed = 256 * 1024 + 2 * 1032 * bytes.len();
            prop_assert!(largest <= allowed, "{largest} bytes at once for {}", bytes.len());
            Ok(())
        })
        .unwrap();

    // A gzip bomb: 32 MiB of zeros behind a header that declares one small image.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28])
        .unwrap();
    for _ in 0..32 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let largest = largest_request(|| {
        let message = parse_images(&bomb[..], bomb.len() as u64).unwrap_err().to_string();
        assert!(message.contains("after its 784 bytes"), "{message}");
    });
    assert!(largest <= 256 * 1024, "{largest} bytes at once");
}
