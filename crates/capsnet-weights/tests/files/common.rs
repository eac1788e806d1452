//! Access to the fixtures, which `tests/fixtures/make_pt.py` has written.

use std::path::PathBuf;

/// Path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Names of all fixtures that can be read (`accepted`) or have to be refused.
pub(crate) fn fixtures(accepted: bool) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| [".pt", ".safetensors", ".npz"].iter().any(|end| name.ends_with(end)))
        .filter(|name| name.starts_with("refused_") != accepted)
        .collect();
    names.sort();
    names
}
