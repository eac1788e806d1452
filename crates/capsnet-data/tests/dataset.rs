//! Data sets from folders: what is refused, and how classes get their names.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use capsnet_data::dataset::{Dataset, DatasetError, Split};
use capsnet_data::idx::{write_idx_images, write_idx_labels};
use capsnet_data::random::Seed;
use capsnet_data::source::CLASSES_FILE;
use capsnet_data::transform::Augment;
use tempfile::TempDir;

/// A folder `name` with a test split of 2x2 images that have these labels.
fn folder_with(name: &str, images: usize, labels: &[u8]) -> (TempDir, std::path::PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(name);
    fs::create_dir(&folder).unwrap();
    let pixels: Vec<u8> = (0..images * 4).map(|i| i as u8).collect();
    write_idx_images(&folder.join(Split::Test.images_file()), 2, 2, &pixels).unwrap();
    write_idx_labels(&folder.join(Split::Test.labels_file()), labels).unwrap();
    (root, folder)
}

fn load_message(folder: &Path) -> String {
    Dataset::load(folder, Split::Test).unwrap_err().to_string()
}

#[test]
fn images_labels_and_names_belong_together() {
    let (_root, folder) = folder_with("digits", 3, &[9, 0, 1]);
    let set = Dataset::load(&folder, Split::Test).unwrap();
    assert_eq!(set.name(), "digits");
    assert_eq!((set.len(), set.height(), set.width()), (3, 2, 2));
    assert_eq!(set.image(2), [8, 9, 10, 11]);
    assert_eq!(set.label(0), 9);
    assert_eq!(set.class_names()[9], "nine");
}

#[test]
fn take_keeps_the_first_images_or_all() {
    let (_root, folder) = folder_with("digits", 3, &[9, 0, 1]);
    let set = Dataset::load(&folder, Split::Test).unwrap();
    let two = set.clone().take(NonZeroUsize::new(2).unwrap());
    assert_eq!(two.labels(), [9, 0]);
    assert_eq!(two.pixels(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(set.clone().take(NonZeroUsize::new(9).unwrap()), set);
}

#[test]
fn classes_are_named_by_file_or_by_folder() {
    let (_root, folder) = folder_with("My-Fashion-Set", 1, &[9]);
    let set = Dataset::load(&folder, Split::Test).unwrap();
    assert_eq!(set.class_names()[9], "Ankle boot");

    fs::write(folder.join(CLASSES_FILE), "left\r\nright\n").unwrap();
    let message = load_message(&folder);
    assert!(message.contains("label 0 is 9"), "{message}");
    assert!(message.contains("2 classes (labels 0 to 1)"), "{message}");

    let (_root, folder) = folder_with("letters", 1, &[25]);
    let names: Vec<String> = ('a'..='z').map(String::from).collect();
    fs::write(folder.join(CLASSES_FILE), names.join("\n")).unwrap();
    let set = Dataset::load(&folder, Split::Test).unwrap();
    assert_eq!(set.class_names()[25], "z");
}

#[test]
fn unusable_class_names_are_refused() {
    let (_root, folder) = folder_with("letters", 1, &[0]);
    let file = folder.join(CLASSES_FILE);
    for (content, part) in [
        (b"a\n\nc".to_vec(), "line 2 is empty"),
        (vec![], "has 0 class names"),
        (b"x\n".repeat(257), "has 257 class names"),
        (vec![b'x'; 70_000], "longer than 65536 bytes"),
        (vec![0xff, 0xfe], "is no UTF-8; save it as UTF-8"),
    ] {
        fs::write(&file, content).unwrap();
        let message = load_message(&folder);
        assert!(message.contains(part), "{message}");
        assert!(message.contains(CLASSES_FILE), "{message}");
    }
}

#[test]
fn a_label_beyond_the_classes_is_refused_with_index_and_value() {
    let (_root, folder) = folder_with("digits", 3, &[0, 2, 4]);
    fs::write(folder.join(CLASSES_FILE), "a\nb\nc\nd\n").unwrap();
    let message = load_message(&folder);
    assert!(message.contains("label 2 is 4"), "{message}");
    assert!(message.contains("4 classes"), "{message}");
}

#[test]
fn counts_that_differ_are_refused() {
    let (_root, folder) = folder_with("digits", 3, &[1, 2]);
    let message = load_message(&folder);
    assert!(message.contains("3 images but 2 labels"), "{message}");
}

#[test]
fn a_missing_file_and_a_missing_folder_are_named() {
    let (root, folder) = folder_with("digits", 1, &[1]);
    let error = Dataset::load(&folder, Split::Train).unwrap_err();
    let DatasetError::MissingFile { name, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(name, "train-images-idx3-ubyte");
    fs::remove_file(folder.join(Split::Test.labels_file())).unwrap();
    let message = load_message(&folder);
    assert!(message.contains("t10k-labels-idx1-ubyte.gz"), "{message}");

    let absent = root.path().join("absent");
    let message = load_message(&absent);
    assert!(message.starts_with(&absent.display().to_string()), "{message}");
    assert!(message.contains("not a folder"), "{message}");
}

#[test]
fn a_damaged_file_is_named() {
    let (_root, folder) = folder_with("digits", 1, &[1]);
    let path = folder.join(Split::Test.images_file());
    fs::write(&path, [0; 100]).unwrap();
    let message = load_message(&folder);
    assert!(message.starts_with(&path.display().to_string()), "{message}");
}

#[test]
fn parts_that_do_not_fit_make_no_data_set() {
    let classes = || vec!["a".to_owned(), "b".to_owned()];
    let make = |height, pixels: usize, labels: Vec<u8>, names: Vec<String>| {
        Dataset::new("made", [1, height, 2], vec![0; pixels], labels, names)
    };
    assert!(make(2, 8, vec![0, 1], classes()).is_ok());
    assert!(matches!(
        make(2, 7, vec![0], classes()),
        Err(DatasetError::BadShape { pixels: 7, .. })
    ));
    assert!(matches!(
        make(0, 0, vec![], classes()),
        Err(DatasetError::BadShape { .. })
    ));
    assert!(matches!(
        make(2, 0, vec![], classes()),
        Err(DatasetError::BadShape { .. })
    ));
    assert!(matches!(
        make(usize::MAX, 8, vec![0, 1], classes()),
        Err(DatasetError::BadShape { .. })
    ));
    assert!(matches!(
        make(2, 8, vec![0, 1], vec![]),
        Err(DatasetError::BadClasses { .. })
    ));
}

#[test]
fn a_slice_holds_its_images_alone() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    let set = Dataset::new("made", [1, 1, 2], (0..8).collect(), vec![0, 1, 1, 0], names).unwrap();
    let slice = set.slice(1..3);
    assert_eq!((slice.pixels(), slice.labels()), (&[2, 3, 4, 5][..], &[1, 1][..]));
    assert_eq!((slice.name(), slice.class_names()), ("made", set.class_names()));
    assert_eq!(set.slice(0..4), set);
    assert_eq!(set.select([1, 2]), slice);
}

#[test]
fn images_in_colour_are_planar() {
    let set = Dataset::new("flags", [3, 1, 2], (0..12).collect(), vec![0, 1], ["a", "b"]).unwrap();
    assert_eq!((set.len(), set.shape(), set.size()), (2, [3, 1, 2], 6));
    assert_eq!(set.image(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!(set.slice(1..2).shape(), [3, 1, 2]);
    let error = Dataset::new("flags", [3, 1, 2], vec![0; 8], vec![0], ["a"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "data set flags: 8 levels are not one or more images of 3 x 1 x 2"
    );
}

#[test]
fn a_sample_has_an_image_of_every_part_of_the_set() {
    let pixels: Vec<u8> = (0..100).collect();
    let set = Dataset::new("levels", [1, 1, 1], pixels.clone(), vec![0; 100], ["a"]).unwrap();
    let sample = |count, seed| set.sample(NonZeroUsize::new(count).unwrap(), Seed(seed));
    for count in [1, 7, 50, 99] {
        let drawn = sample(count, 3);
        assert_eq!(drawn.len(), count);
        for (part, &level) in drawn.pixels().iter().enumerate() {
            let bounds = part * 100 / count..(part + 1) * 100 / count;
            assert!(bounds.contains(&usize::from(level)), "{level} of {bounds:?}");
        }
        assert_eq!(drawn, sample(count, 3));
    }
    assert_ne!(sample(7, 3), sample(7, 4));
    // Every image of a part is drawn by some seed.
    let mut drawn: Vec<u8> = (0..400).map(|seed| sample(20, seed).pixels()[4]).collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn, [20, 21, 22, 23, 24]);
    assert_eq!((sample(100, 3), sample(1000, 3)), (set.clone(), set.clone()));
}

#[test]
fn what_a_model_is_shown_depends_on_seed_epoch_and_index_alone() {
    let set = Dataset::new("grey", [1, 4, 4], (0..64).collect(), vec![0; 4], ["a"]).unwrap();
    let augment: Augment = "translate=1,noise=9".parse().unwrap();
    let image = |seed, epoch, index| augment.image(&set, Seed(seed), epoch, index);
    let mut pixels = set.image(2).to_vec();
    let mut rng = Seed(5).stream("augment", 1, 2);
    augment.apply(&mut pixels, 4, 4, &mut rng, &mut Default::default());
    assert_eq!(image(5, 1, 2), pixels);
    assert!(image(5, 1, 2) != image(6, 1, 2) && image(5, 1, 2) != image(5, 0, 2));
    assert_eq!(Augment::default().image(&set, Seed(5), 0, 3), set.image(3));
}
