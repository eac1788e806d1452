//! Data sets as people have them: every kind of source, under the names and in the forms that are met.

#[path = "sources/csv.rs"]
mod csv;
#[path = "sources/idx.rs"]
mod idx;
#[path = "sources/mat.rs"]
mod mat;
#[path = "sources/npz.rs"]
mod npz;
#[path = "sources/pictures.rs"]
mod pictures;

use std::fs;
use std::path::Path;

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::source::{Loaded, Options, load};

/// One split, with what there is to remark.
fn loaded(path: &Path, split: Split) -> Loaded {
    load(path, split, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn read(path: &Path, split: Split) -> Dataset {
    loaded(path, split).data
}

/// Why there is no such split; it names the file or the folder.
#[track_caller]
fn refused(path: &Path, split: Split, parts: &[&str]) {
    let message = load(path, split, &Options::default()).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
