//! What can't be drawn.

use std::path::Path;

use crate::support::{capsnet, fixture, names_in, text};
use crate::{BOTH, CAPSNET, drawn, prepared};

/// `draw` with these flags ends with this code, saying each of `parts`, and writes nothing.
#[track_caller]
fn refused(folder: &Path, code: i32, flags: &[&[&str]], parts: &[&str]) {
    let before = names_in(folder);
    capsnet(folder, [&["draw"], flags.concat().as_slice()].concat()).fails(code, parts);
    assert_eq!(names_in(folder), before);
}

#[test]
fn digits_that_are_not_there() {
    let folder = prepared();
    let root = folder.path();
    refused(
        root,
        2,
        &[&["reconstructions", "--index", "3,40"], &CAPSNET],
        &["--index", "40", "0 to 39"],
    );
    refused(root, 2, &[&["all", "--index", "40"], &BOTH], &["--index", "40"]);
    refused(
        root,
        2,
        &[&["all", "--out", "x.png"], &BOTH],
        &["--out x.png", "folder"],
    );
    refused(
        root,
        2,
        &[&["couplings", "--class", "10"], &CAPSNET],
        &["--class", "10", "0 to 9"],
    );
    refused(
        root,
        2,
        &[&["couplings", "--towards", "11"], &CAPSNET],
        &["--towards", "11"],
    );
    // The first test image is a 0.
    refused(
        root,
        1,
        &[&["angles", "--class", "5", "--limit", "1"], &BOTH],
        &["class 5"],
    );
    refused(
        root,
        2,
        &[&["perturbations", "--index", "1,2"], &CAPSNET],
        &["one digit", "--index"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--index", "0,10"], &BOTH],
        &["--index", "class 0"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--index", "1"], &BOTH],
        &["--index", "two images"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--distance", "2.5"], &BOTH],
        &["--distance", "2.5"],
    );
    refused(
        root,
        2,
        &[&["reconstructions", "--mistakes", "--index", "1"], &CAPSNET],
        &["--mistakes", "--index"],
    );
    refused(
        root,
        2,
        &[&["angles", "--transform", "normalize=0.1:0.3"], &BOTH],
        &["--transform", "normalize"],
    );
}

#[test]
fn models_that_lack_something() {
    let folder = prepared();
    let root = folder.path();
    let data = ["--data", "digits", "--weights"];
    for picture in ["reconstructions", "perturbations", "couplings"] {
        let flags = [&[picture], &data[..], &["lenet5.safetensors"]].concat();
        refused(
            root,
            1,
            &[&flags],
            &["lenet5.safetensors", "LeNet-5 has no capsules", "--weights"],
        );
    }
    let tiny = fixture("tiny_capsnet.safetensors");
    for picture in ["reconstructions", "perturbations"] {
        let flags = [&[picture], &data[..], &[text(&tiny)]].concat();
        refused(root, 1, &[&flags], &[text(&tiny), "no decoder", "--weights"]);
    }
    for picture in ["crowding", "all"] {
        let flags = [&[picture], &data[..], &["lenet5.safetensors", text(&tiny)]].concat();
        refused(root, 1, &[&flags], &["decoder", "--weights"]);
    }
    // Couplings need none.
    let flags = [&["couplings"], &data[..], &[text(&tiny)]].concat();
    let (numbers, _) = drawn(root, &[&flags]);
    assert_eq!(numbers["primary_capsules"], 36);
}
