//! What reading a weights file holds at most: sixteen times the file and 64 MB, whatever it says of itself.
//!
//! A file of its own, because it counts the memory of the whole process.

#[path = "../../capsnet-data/tests/noting/peak.rs"]
mod peak;

use std::fs;
use std::io::{Cursor, Write};

use capsnet_weights::read;
use peak::{Peak, assert_within};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[global_allocator]
static ALLOCATOR: Peak = Peak;

/// Whether a file with these bytes is read.
fn is_read(what: &str, bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    fs::write(&path, bytes).unwrap();
    let mut is_read = false;
    assert_within(what, bytes.len(), || is_read = read(&path).is_ok());
    is_read
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn int(number: usize) -> Vec<u8> {
    [&b"J"[..], &(number as u32).to_le_bytes()].concat()
}

/// The pickle of so many tensors that all lie in one storage from its start.
fn pickle(tensors: usize, storage: &str, numbers: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for tensor in 0..tensors {
        let key = [
            &b"("[..],
            &text("storage"),
            format!("ctorch\n{storage}\n").as_bytes(),
            &text("0"),
            &text("cpu"),
            &int(numbers),
            b"tQ",
        ]
        .concat();
        let parts = [
            &text(&format!("t{tensor}")),
            &b"ctorch._utils\n_rebuild_tensor_v2\n("[..],
            &key,
            &int(0),
            b"(",
            &int(numbers),
            b"t(",
            &int(1),
            b"t\x89ccollections\nOrderedDict\n)RtR",
        ];
        pickle.extend(parts.concat());
    }
    pickle.extend(b"u.");
    pickle
}

/// A file of `torch.save`.
fn torch(pickle: &[u8], storage: usize, method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    let mut entry = |name: &str, bytes: &[u8]| {
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    };
    entry("archive/data.pkl", pickle);
    entry("archive/byteorder", b"little");
    entry("archive/data/0", &vec![0; storage]);
    entry("archive/version", b"3\n");
    archive.finish().unwrap().into_inner()
}

fn safetensors(tensors: &[(&str, usize, usize)]) -> Vec<u8> {
    let mut at = 0;
    let entries: Vec<String> = tensors
        .iter()
        .enumerate()
        .map(|(number, (kind, count, bytes))| {
            let from = at;
            at += bytes;
            format!("\"t{number}\":{{\"dtype\":\"{kind}\",\"shape\":[{count}],\"data_offsets\":[{from},{at}]}}")
        })
        .collect();
    let mut header = format!("{{{}}}", entries.join(","));
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + at, 0);
    bytes
}

/// One test for all, because a second would allocate beside the first.
#[test]
fn reading_holds_sixteen_times_the_file_and_64_mb_at_most() {
    const MB: usize = 1_000_000;
    let (stored, packed) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    assert!(is_read(
        "floats",
        &torch(&pickle(1, "FloatStorage", 4 * MB), 16 * MB, stored)
    ));
    for (storage, size) in [
        ("HalfStorage", 2),
        ("LongStorage", 8),
        ("ByteStorage", 1),
        ("BoolStorage", 1),
    ] {
        is_read(storage, &torch(&pickle(1, storage, 16 * MB / size), 16 * MB, stored));
        is_read("packed", &torch(&pickle(1, storage, 200 * MB / size), 200 * MB, packed));
        is_read(
            "one storage, many tensors",
            &torch(&pickle(400, storage, MB / size), MB, stored),
        );
    }
    is_read("tiny tensors", &torch(&pickle(40_000, "FloatStorage", 1), 4, stored));
    // Instructions of one byte: lists, dictionaries, sets, tuples, marks, numbers, and what is remembered.
    for instruction in [
        &b"]"[..],
        b"}",
        b"\x8f",
        b")",
        b"(",
        b"K\x01",
        b"N",
        b"\x94",
        b"]\x94",
        b"}\x94",
        b"2",
    ] {
        let many = instruction.repeat(8 * MB / instruction.len());
        let what = format!("instructions {instruction:?}");
        for start in [&b"\x80\x04"[..], b"\x80\x04]", b"\x80\x04N"] {
            let pickle = [start, &many, b"."].concat();
            is_read(&what, &torch(&pickle, 4, stored));
            is_read(&what, &torch(&pickle, 4, packed));
            is_read(&what, &pickle);
        }
    }
    for (kind, size) in [
        ("F32", 4),
        ("F16", 2),
        ("BF16", 2),
        ("F64", 8),
        ("U8", 1),
        ("BOOL", 1),
        ("I64", 8),
    ] {
        let large = safetensors(&[(kind, 16 * MB / size, 16 * MB)]);
        assert!(is_read(kind, &large), "{kind}");
        let many = vec![(kind, 1, size); 60_000];
        is_read("tiny tensors of safetensors", &safetensors(&many));
    }
}
