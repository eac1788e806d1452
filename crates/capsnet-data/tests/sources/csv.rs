//! CSV files: Kaggle's and others'.

use capsnet_data::dataset::Split;
use capsnet_data::source::{Options, load};

use super::{gzip, loaded, read, refused, write};

/// Lines of a label and four pixels.
fn lines(labels: &[&str]) -> String {
    let line = |(index, label): (usize, &&str)| format!("{label},{index},1,2,255\n");
    labels.iter().enumerate().map(line).collect()
}

const HEADER: &str = "label,pixel0,pixel1,pixel2,pixel3\n";

#[test]
fn headers_are_told_from_images() {
    for (header, end) in [
        ("", ""),
        (HEADER, ""),
        ("\u{feff}label,1x1,1x2,2x1,2x2\r\n", ""),
        ("label,0,1,2,3\n", ""),
        (HEADER, "\n"),
    ] {
        let root = tempfile::tempdir().unwrap();
        for split in ["train", "test"] {
            let text = format!("{header}{}{end}", lines(&["7", "0", "2"]));
            write(root.path(), &format!("mnist_{split}.csv"), text.as_bytes());
        }
        for split in Split::ALL {
            let set = read(root.path(), split);
            assert_eq!((set.shape(), set.labels()), ([1, 2, 2], &[7, 0, 2][..]), "{header}");
            assert_eq!(set.image(2), [2, 1, 2, 255]);
            let by_file = read(&root.path().join("mnist_test.csv"), split);
            assert_eq!((by_file.name(), by_file.pixels()), ("mnist_test", set.pixels()));
        }
    }
}

/// Kaggle's `test.csv` has no labels: a part of the other file is kept to test on.
#[test]
fn a_file_without_labels_is_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let labels: Vec<String> = (0..50).map(|index| (index % 5).to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    write(
        root.path(),
        "train.csv",
        format!("{HEADER}{}", lines(&labels)).as_bytes(),
    );
    write(root.path(), "test.csv", b"pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n");
    let [train, test] = Split::ALL.map(|split| loaded(root.path(), split));
    assert_eq!((train.data.len(), test.data.len()), (40, 10));
    assert_eq!((train.data.counts(), test.data.counts()), (vec![8; 5], vec![2; 5]));
    assert!(test.remarks[0].contains("not divided"), "{:?}", test.remarks);
    let mut first: Vec<u8> = [&train, &test]
        .iter()
        .flat_map(|part| (0..part.data.len()).map(|index| part.data.image(index)[0]))
        .collect();
    first.sort_unstable();
    assert!(first.into_iter().eq(0..50), "every image is in one of the parts");
}

#[test]
fn labels_may_be_words_and_come_last() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("animals.csv");
    let text = "a,b,c,d,class\n1,2,3,4,dog\n5,6,7,8,cat\n9,9,9,9,dog\n1,1,1,1,cat\n2,2,2,2,cat\n";
    write(root.path(), "animals.csv", text.as_bytes());
    let train = read(&path, Split::Train);
    assert_eq!(train.class_names(), ["cat", "dog"]);
    assert_eq!(train.len(), 4);
    assert!(train.is_named());
}

#[test]
fn colours_other_delimiters_and_gzip() {
    let root = tempfile::tempdir().unwrap();
    let image = "1;10;11;12;20;21;22;30;31;32;40;41;42\n";
    write(root.path(), "test.csv.gz", &gzip(image.repeat(2).as_bytes()));
    let tabs = image.replace(';', "\t");
    for (name, text) in [("plain/test.csv", image), ("tabs/test.csv", &*tabs)] {
        write(root.path(), name, text.repeat(2).as_bytes());
    }
    for folder in ["", "plain", "tabs"] {
        let set = read(&root.path().join(folder), Split::Test);
        assert_eq!(set.shape(), [3, 2, 2], "{folder}");
        assert_eq!(set.image(0), [10, 20, 30, 40, 11, 21, 31, 41, 12, 22, 32, 42]);
    }
    write(root.path(), "one/test.csv", b"7\n8\n");
    refused(
        &root.path().join("one/test.csv"),
        Split::Test,
        &["one column", "separated"],
    );
    refused(root.path(), Split::Train, &["has no images to train on"]);
    // Other proportions have to be said.
    write(root.path(), "test.csv", b"1,2,3\n1,2,3\n");
    let path = root.path().join("test.csv");
    refused(&path, Split::Test, &["test.csv", "3 columns", "--image"]);
    let options = Options { image: Some([1, 1, 2]) };
    assert_eq!(load(&path, Split::Test, &options).unwrap().data.shape(), [1, 1, 2]);
}

#[test]
fn what_is_no_image_is_refused_with_its_place() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("test.csv");
    for (text, parts) in [
        ("1,2,3,4,5\n1,2,3,4\n", &["test.csv", "line 2 has 4 columns, not 5"][..]),
        ("1,2,3,4,5\n1,2,3,4,256\n", &["line 2, column 5: `256`", "0 to 255"]),
        ("1,2,3,4,5\n1,2,3,-4,6\n", &["line 2, column 4: `-4`"]),
        ("1,2,3,0.25,5\n", &["`0.25`"]),
        ("label,a,b,c,d\n", &["no line with an image"]),
        ("", &["test.csv", "no line with an image"]),
    ] {
        write(root.path(), "test.csv", text.as_bytes());
        refused(&path, Split::Test, parts);
    }
    // Labels that aren't text would become one and the same.
    write(root.path(), "test.csv", b"\xC4,1,2,3,4\n\xD6,1,2,3,4\nabc,1,2,3,4\n");
    refused(&path, Split::Test, &["test.csv", "is no UTF-8"]);
    let utf_16: Vec<u8> = "\u{FEFF}1,2,3,4,5\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    write(root.path(), "test.csv", &utf_16);
    refused(&path, Split::Test, &["is UTF-16", "UTF-8"]);
    let many: String = (0..300).map(|label| format!("{label},1,2,3,4\n")).collect();
    write(root.path(), "test.csv", many.as_bytes());
    refused(&path, Split::Test, &["more than 256 different labels"]);
    write(root.path(), "test.csv", &vec![b'7'; 5 << 20]);
    refused(&path, Split::Test, &["a line has more than"]);
}
