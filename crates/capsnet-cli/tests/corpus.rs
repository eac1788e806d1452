//! The corpus of `fuzz/` and simple mutations of it, through the functions that the fuzz targets call: no fuzzer is
//! needed to find again what one has found.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../fuzz/src/models/mod.rs"]
mod models;
#[path = "../../../fuzz/src/plain/mod.rs"]
mod plain;

use plain::Target;

/// A file as it is, cut at places, with bits flipped, with numbers at which something may turn over, and doubled.
fn mutations(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![bytes.to_vec(), [bytes, bytes].concat()];
    if bytes.is_empty() {
        return all;
    }
    all.extend((0..6).map(|cut| bytes[..bytes.len() * cut / 6].to_vec()));
    let place = |number: usize| (number * 2_654_435_761 + 17) % bytes.len();
    let changed = |number: usize, change: &dyn Fn(u8) -> u8| {
        let mut bytes = bytes.to_vec();
        bytes[place(number)] = change(bytes[place(number)]);
        bytes
    };
    all.extend((0..16).map(|number| changed(number, &|byte| byte ^ (1 << (number % 8)))));
    all.extend([0, 0x7f, 0x80, 0xff].map(|value| changed(usize::from(value), &|_| value)));
    for word in [
        &b"\xff\xff\xff\xff\xff\xff\xff\x7f"[..],
        b"99999999999999999999",
        b"\n",
        b"-1e308",
    ] {
        let (before, after) = bytes.split_at(place(word.len()));
        all.push([before, word, after].concat());
    }
    all
}

fn through(target: &Target) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target.name);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .collect();
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    for file in files {
        let path = file.unwrap().path();
        for (number, bytes) in mutations(&fs::read(&path).unwrap()).into_iter().enumerate() {
            let ended = catch_unwind(|| (target.run)(&bytes));
            assert!(
                ended.is_ok(),
                "{}, mutation {number}: {}",
                path.display(),
                bytes.escape_ascii()
            );
        }
    }
}

#[test]
fn readers_take_or_refuse_the_corpus_and_what_is_like_it() {
    plain::PLAIN.iter().for_each(through);
}

#[test]
fn trainings_models_and_the_lab_take_or_refuse_the_corpus_and_what_is_like_it() {
    models::MODELS.iter().for_each(through);
}

#[test]
fn each_target_has_a_program_and_each_corpus_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut targets: Vec<String> = plain::PLAIN
        .iter()
        .chain(models::MODELS)
        .map(|target| target.name.to_owned())
        .collect();
    targets.sort();
    let names = |folder: &str| {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "{target}"
        );
    }
}
