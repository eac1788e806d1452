//! Damaged or missing data sets: exit code 1 and a message that names the file, from both commands that read one.

mod support;

use std::fs;
use std::path::Path;

use capsnet_data::dataset::Split;
use capsnet_data::idx::write_idx_labels;
use support::{capsnet, names_in, text, write_data, write_lenet5};
use tempfile::{TempDir, tempdir};

/// A synthetic data set whose images or labels `damage` spoils, in both splits alike.
fn damaged(damage: impl Fn(&Path, Split)) -> TempDir {
    let folder = tempdir().unwrap();
    let data = write_data(folder.path());
    for split in Split::ALL {
        damage(&data, split);
    }
    folder
}

/// `train` and `test` both fail, name the spoilt file (or data set) and say each of `parts`; `train` begins no run.
#[track_caller]
fn both_fail(folder: &TempDir, file: fn(Split) -> &'static str, parts: &[&str]) {
    let root = folder.path();
    let weights = write_lenet5(root);
    let mut expected = parts.to_vec();
    expected.push(file(Split::Test));
    capsnet(
        root,
        ["test", "lenet5", "--data", "digits", "--weights", text(&weights)],
    )
    .fails(1, &expected);
    *expected.last_mut().unwrap() = file(Split::Train);
    capsnet(
        root,
        [
            "train",
            "lenet5",
            "--data",
            "digits",
            "--validation",
            "0",
            "--out",
            "run",
        ],
    )
    .fails(1, &expected);
    assert_eq!(names_in(&root.join("run")), [""; 0], "a run was begun");
}

/// Replaces the bytes of a file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn truncated_header() {
    let folder = damaged(|data, split| edit(&data.join(split.images_file()), |bytes| bytes.truncate(10)));
    both_fail(&folder, Split::images_file, &["header", "10"]);
}

#[test]
fn truncated_images() {
    let folder = damaged(|data, split| edit(&data.join(split.images_file()), |bytes| bytes.truncate(1000)));
    both_fail(&folder, Split::images_file, &["truncated"]);
}

#[test]
fn header_that_claims_four_billion_images() {
    let folder = damaged(|data, split| edit(&data.join(split.images_file()), |bytes| bytes[4..8].fill(0xff)));
    both_fail(&folder, Split::images_file, &["declares"]);
}

#[test]
fn header_that_claims_huge_images() {
    let folder = damaged(|data, split| edit(&data.join(split.images_file()), |bytes| bytes[8..16].fill(0xff)));
    both_fail(&folder, Split::images_file, &["4294967295"]);
}

#[test]
fn header_that_claims_too_many_labels() {
    let folder = damaged(|data, split| edit(&data.join(split.labels_file()), |bytes| bytes[4] = 0x7f));
    both_fail(&folder, Split::labels_file, &[]);
}

#[test]
fn zeros() {
    let folder = damaged(|data, split| edit(&data.join(split.images_file()), |bytes| bytes.fill(0)));
    both_fail(&folder, Split::images_file, &["zeros"]);
    let folder = damaged(|data, split| edit(&data.join(split.labels_file()), |bytes| bytes.fill(0)));
    both_fail(&folder, Split::labels_file, &["zeros"]);
}

#[test]
fn empty_file() {
    let folder = damaged(|data, split| edit(&data.join(split.labels_file()), Vec::clear));
    both_fail(&folder, Split::labels_file, &["empty"]);
}

#[test]
fn images_and_labels_swapped() {
    let folder = damaged(|data, split| {
        fs::copy(data.join(split.labels_file()), data.join(split.images_file())).unwrap();
    });
    both_fail(&folder, Split::images_file, &["swapped"]);
}

#[test]
fn label_beyond_the_classes() {
    let folder = damaged(|data, split| {
        edit(&data.join(split.labels_file()), |bytes| bytes[8 + 3] = 10);
        fs::write(data.join("classes.txt"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n").unwrap();
    });
    both_fail(&folder, |_| "digits", &["label 3 is 10", "10 classes"]);
}

#[test]
fn counts_that_differ() {
    let folder = damaged(|data, split| write_idx_labels(&data.join(split.labels_file()), &[1; 17]).unwrap());
    both_fail(&folder, |_| "digits", &["17 labels"]);
}

#[test]
fn missing_file() {
    let folder = damaged(|data, split| fs::remove_file(data.join(split.labels_file())).unwrap());
    both_fail(&folder, Split::labels_file, &["neither"]);
}

#[test]
fn missing_folder() {
    let folder = tempdir().unwrap();
    both_fail(&folder, |_| "digits", &["--data", "not a folder"]);
}

#[test]
fn no_data_set_anywhere() {
    let folder = tempdir().unwrap();
    // Neither the checkout nor the user's cache has this one under this home.
    let run = support::command(folder.path())
        .env("CAPSNET_DATA", folder.path().join("nowhere"))
        .args(["test", "lenet5"])
        .output()
        .unwrap();
    support::Run::from(run).fails(1, &["CAPSNET_DATA", "nowhere"]);
}

#[test]
fn images_of_another_size() {
    let folder = damaged(|data, split| {
        let path = data.join(split.images_file());
        capsnet_data::idx::write_idx_images(&path, 14, 56, &fs::read(&path).unwrap()[16..]).unwrap();
    });
    let root = folder.path();
    let weights = write_lenet5(root);
    let test = ["test", "lenet5", "--data", "digits", "--weights", text(&weights)];
    capsnet(root, test).fails(1, &["digits", "14 x 56", "28 x 28"]);
    // A training makes the model for the images, if there is such a model.
    let train = [
        "train",
        "lenet5",
        "--data",
        "digits",
        "--validation",
        "0",
        "--out",
        "run",
    ];
    capsnet(root, train).fails(2, &["image.height", "14", "at least 16"]);
    assert_eq!(names_in(&root.join("run")), [""; 0], "a run was begun");
}
