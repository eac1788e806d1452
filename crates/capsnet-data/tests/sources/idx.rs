//! IDX files under the names of MNIST's relatives.

use std::fs;
use std::path::Path;

use capsnet_data::dataset::{DatasetError, Split};
use capsnet_data::source::{CLASSES_FILE, Options, find, survey};

use super::{gzip, loaded, read, refused, write};

fn images(count: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count as u8, 0, 0, 0, 2, 0, 0, 0, 2];
    bytes.extend((0..4 * count).map(|level| level as u8));
    bytes
}

/// Black images, `[count, height, width]`.
fn sized(sizes: [u8; 3]) -> Vec<u8> {
    let pixels = sizes.iter().map(|&size| usize::from(size)).product();
    let header = sizes.iter().flat_map(|&size| [0, 0, 0, size]);
    [0, 0, 8, 3]
        .into_iter()
        .chain(header)
        .chain(std::iter::repeat_n(0, pixels))
        .collect()
}

fn labels(values: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, values.len() as u8], values].concat()
}

/// Both splits, three images each, under names with these fronts and ends.
fn put(folder: &Path, front: &str, [image_end, label_end]: [&str; 2], test: &str, values: &[u8]) {
    for split in ["train", test] {
        write(
            folder,
            &format!("{front}{split}-images{image_end}"),
            &images(values.len()),
        );
        write(folder, &format!("{front}{split}-labels{label_end}"), &labels(values));
    }
}

const USUAL: [&str; 2] = ["-idx3-ubyte", "-idx1-ubyte"];

#[test]
fn files_are_found_under_the_names_that_people_have() {
    for (below, front, ends, test, name) in [
        ("set", "", USUAL, "t10k", "set"),
        ("set", "", [".idx3-ubyte", ".idx1-ubyte"], "t10k", "set"),
        ("set/MNIST/raw", "", USUAL, "t10k", "MNIST"),
        ("set/raw", "", USUAL, "test", "set"),
        ("set", "emnist-letters-", USUAL, "test", "emnist-letters"),
        ("set/gzip", "emnist-digits-", USUAL, "test", "emnist-digits"),
        ("set", "qmnist-", ["-idx3-ubyte", "-idx2-int"], "test", "qmnist"),
    ] {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join(below), front, ends, test, &[3, 0, 9]);
        for split in Split::ALL {
            let set = read(&root.path().join("set"), split);
            assert_eq!((set.name(), set.labels()), (name, &[3, 0, 9][..]), "{below} {front}");
            assert_eq!(set.image(1), [4, 5, 6, 7]);
            assert_eq!(set.class_names()[3], "three");
            assert!(!set.is_named());
        }
    }
}

#[test]
fn one_of_several_sets_in_a_folder_is_named_by_a_file() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "emnist-letters-", USUAL, "test", &[1, 2, 11]);
    put(root.path(), "emnist-digits-", USUAL, "test", &[1, 2, 3]);
    refused(root.path(), Split::Train, &["emnist-digits, emnist-letters"]);
    let file = root.path().join("emnist-letters-train-images-idx3-ubyte");
    for split in Split::ALL {
        assert_eq!(read(&file, split).labels(), [0, 1, 10]);
    }
}

#[test]
fn labels_from_one_on_go_by_the_names() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "", USUAL, "t10k", &[1, 26, 11]);
    let set = read(root.path(), Split::Test);
    assert_eq!((set.labels(), set.class_names().len()), (&[0, 25, 10][..], 26));
    assert_eq!(set.class_names()[10], "11");
    let names: Vec<String> = ('a'..='z').map(String::from).collect();
    // As many names as letters: they count from one. One name more: it is that of label 0.
    let file = root.path().join(CLASSES_FILE);
    fs::write(&file, names.join("\n")).unwrap();
    let set = read(root.path(), Split::Test);
    assert_eq!((set.labels(), set.class_names()[25].as_str()), (&[0, 25, 10][..], "z"));
    fs::write(&file, format!("none\r\n{}\r\n\r\n", names.join("\r\n"))).unwrap();
    let set = read(root.path(), Split::Test);
    assert_eq!((set.labels(), set.class_names().len()), (&[1, 26, 11][..], 27));
    assert!(set.is_named());
    // EMNIST's own list of letters.
    fs::remove_file(file).unwrap();
    let mapping: String = (1..=26)
        .map(|label| format!("{label} {} {}\n", label + 64, label + 96))
        .collect();
    let emnist = tempfile::tempdir().unwrap();
    put(emnist.path(), "emnist-letters-", USUAL, "test", &[1, 26, 11]);
    write(emnist.path(), "emnist-letters-mapping.txt", mapping.as_bytes());
    let set = read(emnist.path(), Split::Test);
    assert_eq!((set.labels(), set.class_names().len()), (&[0, 25, 10][..], 26));
    assert_eq!(set.class_names()[25], "Z");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "", USUAL, "t10k", &[0, 1, 0]);
    fs::write(root.path().join(CLASSES_FILE), "\u{feff}left\nright").unwrap();
    assert_eq!(read(root.path(), Split::Train).class_names(), ["left", "right"]);
}

/// A part may lack the last class.
#[test]
fn classes_are_those_of_both_parts() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "", USUAL, "t10k", &[0, 1, 4]);
    write(root.path(), "t10k-labels-idx1-ubyte", &labels(&[0, 1, 1]));
    for split in Split::ALL {
        assert_eq!(read(root.path(), split).class_names().len(), 5);
    }
}

#[test]
fn what_follows_a_gzip_stream_is_remarked_unless_it_is_zeros() {
    let root = tempfile::tempdir().unwrap();
    let put = |tail: &[u8]| {
        for split in ["train", "t10k"] {
            let packed = [gzip(&images(3)), tail.to_vec()].concat();
            write(root.path(), &format!("{split}-images-idx3-ubyte.gz"), &packed);
            write(
                root.path(),
                &format!("{split}-labels-idx1-ubyte.gz"),
                &gzip(&labels(&[0, 1, 2])),
            );
        }
        loaded(root.path(), Split::Train).remarks
    };
    assert!(put(&[0; 512]).is_empty());
    let remarks = put(b"garbage");
    assert!(
        remarks[0].contains("train-images-idx3-ubyte.gz: what follows"),
        "{remarks:?}"
    );
}

#[test]
fn numbers_of_labels_and_images_are_compared_before_images_are_read() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "", USUAL, "t10k", &[0, 1, 2]);
    write(root.path(), "train-labels-idx1-ubyte", &labels(&[0, 1]));
    // Images that could not be unpacked.
    let mut packed = gzip(&images(3));
    packed.truncate(packed.len() - 6);
    fs::remove_file(root.path().join("train-images-idx3-ubyte")).unwrap();
    write(root.path(), "train-images-idx3-ubyte.gz", &packed);
    refused(root.path(), Split::Train, &["3 images but 2 labels"]);
}

#[test]
fn what_is_no_data_set_is_said_with_what_would_be() {
    let root = tempfile::tempdir().unwrap();
    let error = find(root.path()).unwrap_err();
    assert!(matches!(error, DatasetError::NoDataSet { .. }));
    for part in [
        "train-images-idx3-ubyte",
        "train/cat/1.png",
        "mnist.npz",
        "train.csv",
        ".mat",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
    write(root.path(), "notes.txt", b"nothing");
    refused(&root.path().join("notes.txt"), Split::Test, &["notes.txt"]);
    refused(
        &root.path().join("absent"),
        Split::Test,
        &["absent is not a folder, nor a file"],
    );
}

#[test]
fn parts_of_other_sizes_are_remarked() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "train-images-idx3-ubyte", &sized([4, 2, 3]));
    write(root.path(), "train-labels-idx1-ubyte", &labels(&[0, 1, 0, 1]));
    write(root.path(), "t10k-images-idx3-ubyte", &sized([2, 3, 3]));
    let seen = || survey(root.path(), &Options::default());
    assert_eq!(seen().unwrap().test, 0);
    write(root.path(), "t10k-labels-idx1-ubyte", &labels(&[0, 1]));
    let remarks = seen().unwrap().remarks;
    assert!(
        remarks
            .iter()
            .any(|remark| remark.contains("1 x 2 x 3, those to test on 1 x 3 x 3")),
        "{remarks:?}"
    );
    // Of two parts that lack something, the first says what.
    fs::remove_file(root.path().join("train-labels-idx1-ubyte")).unwrap();
    fs::remove_file(root.path().join("t10k-images-idx3-ubyte")).unwrap();
    let error = seen().unwrap_err().to_string();
    assert!(error.contains("train-labels"), "{error}");
}
