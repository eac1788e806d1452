//! What reading a data set holds at most: sixteen times its files and 64 MB, also where a file was made to unpack to
//! very much.
//!
//! A file of its own, because it counts the memory of the whole process.

#[path = "noting/peak.rs"]
mod peak;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use capsnet_data::dataset::Split;
use capsnet_data::source::{Options, load};
use flate2::Compression;
use flate2::write::GzEncoder;
use peak::{Peak, assert_within};
use tempfile::tempdir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[global_allocator]
static ALLOCATOR: Peak = Peak;

/// Says what became of reading both parts: both are allowed, but within bounds.
fn read(what: &str, name: &str, bytes: &[u8]) -> bool {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read_at(what, &path, bytes.len())
}

fn read_at(what: &str, path: &Path, len: usize) -> bool {
    let mut all = true;
    for split in [Split::Train, Split::Test] {
        assert_within(what, len, || {
            all &= load(path, split, &Options::default()).is_ok();
        });
    }
    all
}

/// An array as NumPy writes it, of zeros.
fn array(kind: &str, dims: &[usize], mut into: impl Write) {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    let shape = match &dims[..] {
        [one] => format!("({one},)"),
        dims => format!("({})", dims.join(", ")),
    };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    into.write_all(b"\x93NUMPY\x01\0").unwrap();
    into.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    into.write_all(header.as_bytes()).unwrap();
    let size: usize = kind[2..].parse().unwrap();
    zeros(
        size * dims.iter().map(|dim| dim.parse::<usize>().unwrap()).product::<usize>(),
        into,
    );
}

fn zeros(mut left: usize, mut into: impl Write) {
    let zeros = vec![0; 1 << 20];
    while left > 0 {
        let part = left.min(zeros.len());
        into.write_all(&zeros[..part]).unwrap();
        left -= part;
    }
}

/// An archive of arrays of zeros, and of so many bytes that are nobody's.
fn npz(arrays: &[(&str, &str, &[usize])], method: CompressionMethod, beside: usize) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for &(name, kind, dims) in arrays {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        array(kind, dims, &mut archive);
    }
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    archive.start_file("beside.bin", stored).unwrap();
    archive.write_all(&vec![7; beside]).unwrap();
    archive.finish().unwrap().into_inner()
}

fn gzipped(line: &[u8], times: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let many = line.repeat(10_000);
    for _ in 0..times.div_ceil(10_000) {
        packed.write_all(&many).unwrap();
    }
    packed.finish().unwrap()
}

/// One test for all, because a second would allocate beside the first.
#[test]
fn reading_holds_sixteen_times_the_file_and_64_mb_at_most() {
    let (stored, packed) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    let set = |count: usize, kind: &'static str, method, beside| {
        let images: &[usize] = &[count, 28, 28];
        npz(
            &[
                ("x_train", "|u1", images),
                ("y_train", kind, &[count]),
                ("x_test", "|u1", images),
                ("y_test", kind, &[count]),
            ],
            method,
            beside,
        )
    };
    assert!(read("npz", "set.npz", &set(10_000, "<i8", stored, 0)));
    assert!(read("npz, packed", "set.npz", &set(10_000, "<i8", packed, 0)));
    // As much as may be unpacked from a file of this length, and more.
    for count in [130_000, 500_000] {
        for beside in [0, 4_000_000] {
            read("npz bomb", "set.npz", &set(count, "<i8", packed, beside));
        }
    }
    for kind in ["|u1", "<i8"] {
        let labels: &[usize] = &[100_000_000 / if kind == "<i8" { 8 } else { 1 }];
        let arrays: &[(&str, &str, &[usize])] = &[
            ("x_train", "|u1", &[4, 2, 2]),
            ("y_train", kind, labels),
            ("x_test", "|u1", &[4, 2, 2]),
            ("y_test", kind, labels),
        ];
        for beside in [0, 4_000_000] {
            read("labels bomb of npz", "set.npz", &npz(arrays, packed, beside));
        }
    }

    let line = [b"1".to_vec(), b",0".repeat(784)].concat();
    let lines = [line.clone(), b"\n".to_vec()].concat().repeat(10_000);
    assert!(read("csv", "set.csv", &lines));
    let tiny = b"1,0,0,0,0\n";
    assert!(read("csv of tiny images", "set.csv", &tiny.repeat(1_000_000)));
    for (what, line) in [
        ("tiny", &tiny[..]),
        ("empty", b"\n"),
        ("large", &[&line[..], b"\n"].concat()),
    ] {
        let bomb = gzipped(line, 150_000_000 / line.len());
        read(&format!("csv bomb of {what} lines"), "set.csv.gz", &bomb);
    }
    read("csv of one line", "set.csv", &b"0,".repeat(8_000_000));
    read("csv of quotes", "set.csv", &b"\"\"\"\"".repeat(4_000_000));

    // Labels and images of IDX: many of either, and what doesn't go together.
    let header = |kind: u8, dims: &[u32]| {
        let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_be_bytes()).collect();
        [&[0, 0, 8, kind], &dims[..]].concat()
    };
    let packed_idx = |kind: u8, dims: &[u32]| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&header(kind, dims)).unwrap();
        zeros(dims.iter().map(|&dim| dim as usize).product(), &mut packed);
        packed.finish().unwrap()
    };
    for count in [60_000, 400_000] {
        for labels in [count, 100_000_000] {
            let folder = tempdir().unwrap();
            let mut len = 0;
            for part in ["train", "t10k"] {
                let files = [
                    (format!("{part}-images-idx3-ubyte.gz"), packed_idx(3, &[count, 28, 28])),
                    (format!("{part}-labels-idx1-ubyte.gz"), packed_idx(1, &[labels])),
                ];
                for (name, bytes) in files {
                    len += bytes.len();
                    fs::write(folder.path().join(name), bytes).unwrap();
                }
            }
            read_at("idx bomb", folder.path(), len);
        }
    }
}
