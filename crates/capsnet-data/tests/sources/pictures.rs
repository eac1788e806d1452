//! A folder of pictures a class.

use std::fs;
use std::path::Path;

use capsnet_data::dataset::Split;
use capsnet_data::picture::{write_png_gray, write_png_rgb};
use capsnet_data::source::{CLASSES_FILE, Options, load, survey};

use super::{loaded, read, refused, write};

fn colour(path: &Path, level: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixels: Vec<u8> = (0..2 * 3).flat_map(|place| [level, place, 9]).collect();
    write_png_rgb(path, 3, 2, &pixels).unwrap();
}

fn grey(path: &Path, level: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_png_gray(path, 3, 2, &[level, 1, 2, 3, 4, 5]).unwrap();
}

#[test]
fn folders_are_classes() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    colour(&at("train/dog/b.png"), 20);
    colour(&at("train/dog/a.PNG"), 10);
    grey(&at("train/cat/1.png"), 30);
    // A class that is only in the other part, and things that lie about.
    colour(&at("test/emu/1.png"), 40);
    write(root.path(), "train/dog/notes.txt", b"none");
    write(root.path(), "train/.DS_Store", b"none");
    let train = loaded(root.path(), Split::Train);
    assert!(
        train.remarks[0].contains("a file that is no picture is passed over"),
        "{:?}",
        train.remarks
    );
    let train = train.data;
    assert_eq!(
        (train.shape(), train.class_names()),
        ([3, 2, 3], &["cat", "dog", "emu"].map(String::from)[..])
    );
    assert_eq!(train.labels(), [0, 1, 1]);
    // Grey pictures among colours are of three equal planes.
    assert_eq!(train.image(0)[..12], [30, 1, 2, 3, 4, 5, 30, 1, 2, 3, 4, 5]);
    assert_eq!(train.image(1), [[10; 6], [0, 1, 2, 3, 4, 5], [9; 6]].concat());
    assert_eq!(read(root.path(), Split::Test).labels(), [2]);
    // Another order of the classes.
    fs::write(at(CLASSES_FILE), "emu\ndog\ncat\n").unwrap();
    assert_eq!(read(root.path(), Split::Train).labels(), [2, 1, 1]);
    fs::write(at(CLASSES_FILE), "emu\ndog\n").unwrap();
    refused(root.path(), Split::Train, &["class `cat`", CLASSES_FILE]);
    fs::write(at(CLASSES_FILE), b"emu\nd\xF6gge\ncat\n").unwrap();
    refused(root.path(), Split::Train, &[CLASSES_FILE, "no UTF-8"]);
}

/// As phones make them; a set of such pictures is made small as it is read.
#[test]
fn large_pictures_are_taken_where_they_are_made_smaller() {
    let root = tempfile::tempdir().unwrap();
    let [rows, columns] = [2000, 2200];
    let levels: Vec<u8> = (0..rows * columns)
        .map(|at| if at % columns < 1100 { 10 } else { 200 })
        .collect();
    let folder = root.path().join("train/half");
    fs::create_dir_all(&folder).unwrap();
    write_png_gray(&folder.join("1.png"), columns, rows, &levels).unwrap();
    grey(&root.path().join("test/half/1.png"), 7);
    refused(root.path(), Split::Train, &["is 2200 x 2000 pixels", "--image CxHxW"]);
    let options = Options { image: Some([1, 1, 4]) };
    let read = load(root.path(), Split::Train, &options).unwrap();
    let [left, .., right] = read.data.image(0) else {
        panic!("four pixels")
    };
    assert_eq!([*left, *right], [10, 200]);
}

/// What can't be seen, or has no name, may be a class.
#[cfg(target_os = "linux")]
#[test]
fn folders_that_cannot_be_classes_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    grey(&at("train/cat/1.png"), 30);
    grey(&at("train/dog/1.png"), 30);
    let latin = at("train").join(OsStr::from_bytes(b"\xC4"));
    grey(&latin.join("1.png"), 30);
    refused(root.path(), Split::Train, &["is no UTF-8", "rename it"]);
    fs::remove_dir_all(&latin).unwrap();
    write(root.path(), "train/dog/2.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0");
    refused(
        root.path(),
        Split::Train,
        &["2.HEIC", "(HEIC)", "save it as an ordinary PNG"],
    );
    fs::remove_file(at("train/dog/2.HEIC")).unwrap();
    // A link to nowhere is no folder.
    symlink("nowhere", at("train/link")).unwrap();
    assert_eq!(read(root.path(), Split::Train).class_names(), ["cat", "dog"]);
    fs::set_permissions(at("train/dog"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(at("train/dog")).is_err() {
        refused(root.path(), Split::Train, &["dog", "can't be listed"]);
    } else {
        // The administrator may list everything.
        assert_eq!(read(root.path(), Split::Train).class_names(), ["cat", "dog"]);
    }
    fs::set_permissions(at("train/dog"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn what_is_passed_over_is_said() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for name in [
        "train/b/1.png",
        "train/c/1.png",
        "train/c/old/2.png",
        "train/a/deep/1.png",
        "train/d/very/deep/1.png",
        "test/b/1.png",
        "valid/b/1.png",
    ] {
        grey(&at(name), 7);
    }
    fs::create_dir_all(at("train/none/of/them")).unwrap();
    let train = loaded(root.path(), Split::Train);
    assert_eq!(train.data.class_names(), ["b", "c"]);
    let said = |folder: &str, what: &str| {
        let start = at(folder).display().to_string();
        let of = |remark: &&String| remark.starts_with(&format!("{start}: ")) && remark.contains(what);
        train.remarks.iter().filter(of).count()
    };
    for class in ["train/a", "train/c", "train/d"] {
        assert_eq!(said(class, "folders in it"), 1, "{:?}", train.remarks);
    }
    assert_eq!(said("valid", "not read"), 1);
    assert_eq!(train.remarks.len(), 4);
    // Once for both parts.
    let survey = survey(root.path(), &Options::default()).unwrap();
    assert_eq!(survey.remarks, train.remarks);
}

#[test]
fn a_folder_without_parts_is_divided() {
    let root = tempfile::tempdir().unwrap();
    for index in 0..20 {
        grey(
            &root.path().join(format!("{}/{index:02}.png", ["no", "yes"][index % 2])),
            index as u8,
        );
    }
    let [train, test] = Split::ALL.map(|split| read(root.path(), split));
    assert_eq!((train.counts(), test.counts()), (vec![8, 8], vec![2, 2]));
    assert_eq!(
        (train.shape(), train.class_names()),
        ([1, 2, 3], &["no", "yes"].map(String::from)[..])
    );
}

#[test]
fn sizes_that_differ_are_refused_or_made_equal() {
    let root = tempfile::tempdir().unwrap();
    grey(&root.path().join("train/a/1.png"), 1);
    let large = root.path().join("train/b/2.png");
    fs::create_dir_all(large.parent().unwrap()).unwrap();
    write_png_rgb(&large, 6, 4, &[200; 72]).unwrap();
    refused(
        root.path(),
        Split::Train,
        &[
            "2.png is 4 x 6 pixels, in colour",
            "2 x 3 pixels, grey",
            "--image",
            "for example 1x2x3",
        ],
    );
    // Three pictures make it divisible.
    grey(&root.path().join("train/a/3.png"), 1);
    let options = Options { image: Some([1, 2, 3]) };
    let set = load(root.path(), Split::Train, &options).unwrap().data;
    assert_eq!(set.shape(), [1, 2, 3]);
    let colour = Options { image: Some([3, 8, 8]) };
    assert_eq!(
        load(root.path(), Split::Train, &colour).unwrap().data.shape(),
        [3, 8, 8]
    );
}

#[test]
fn damaged_pictures_are_named() {
    let root = tempfile::tempdir().unwrap();
    for index in 0..4 {
        grey(&root.path().join(format!("a/{index}.png")), index);
    }
    let path = root.path().join("a/2.png");
    let whole = fs::read(&path).unwrap();
    for bytes in [&b""[..], b"no picture", &whole[..whole.len() / 2]] {
        fs::write(&path, bytes).unwrap();
        refused(root.path(), Split::Train, &["2.png"]);
    }
    // A decoder would fill up what is missing of it.
    let jpeg = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/turned.jpg")).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(path.with_extension("jpg"), &jpeg[..jpeg.len() * 3 / 5]).unwrap();
    refused(root.path(), Split::Train, &["2.jpg", "truncated JPEG"]);
}
