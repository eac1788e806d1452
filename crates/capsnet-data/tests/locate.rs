//! Where data sets are looked for, in which order, and what is said when they aren't there.

use std::fs;
use std::path::{Path, PathBuf};

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::Split;
use capsnet_data::locate::{DATA_VARIABLE, LocateError, Surroundings};

fn put_set(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for split in Split::ALL {
        fs::write(folder.join(split.images_file()), "").unwrap();
        fs::write(folder.join(format!("{}.gz", split.labels_file())), "").unwrap();
    }
}

fn find(surroundings: &Surroundings, explicit: Option<&Path>) -> Result<PathBuf, LocateError> {
    surroundings.locate(KnownSet::Mnist, &Split::ALL, explicit)
}

#[test]
fn places_are_tried_in_the_documented_order() {
    let root = tempfile::tempdir().unwrap();
    let place = |name: &str| root.path().join(name);
    let (flag, variable) = (place("flag"), place("variable"));
    let from_current = place("checkout/data/mnist");
    let from_program = place("install/data/mnist");
    let cache = place("cache/mnist");
    for folder in [&flag, &variable, &from_current, &from_program, &cache] {
        put_set(folder);
    }
    let mut surroundings = Surroundings {
        variable: Some(variable.clone()),
        current: Some(place("checkout/deep/below")),
        program: Some(place("install/target/release/capsnet")),
        cache: Some(place("cache")),
    };
    assert_eq!(find(&surroundings, Some(&flag)).unwrap(), flag);
    assert_eq!(find(&surroundings, None).unwrap(), variable);
    surroundings.variable = None;
    assert_eq!(find(&surroundings, None).unwrap(), from_current);
    // An incomplete place that nobody named is passed over.
    fs::remove_file(from_current.join("t10k-images-idx3-ubyte")).unwrap();
    assert_eq!(find(&surroundings, None).unwrap(), from_program);
    fs::remove_dir_all(&from_program).unwrap();
    assert_eq!(find(&surroundings, None).unwrap(), cache);
}

#[test]
fn a_named_folder_without_the_files_is_an_error_naming_the_file() {
    let root = tempfile::tempdir().unwrap();
    let named = root.path().join("named");
    put_set(&named);
    fs::remove_file(named.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    put_set(&root.path().join("mnist"));
    let surroundings = Surroundings {
        variable: Some(named.clone()),
        cache: Some(root.path().to_path_buf()),
        ..Surroundings::default()
    };
    for (origin, explicit) in [("--data", Some(named.as_path())), (DATA_VARIABLE, None)] {
        let error = find(&surroundings, explicit).unwrap_err();
        assert_eq!(
            error,
            LocateError::MissingFile {
                origin,
                folder: named.clone(),
                name: "t10k-labels-idx1-ubyte".to_owned()
            }
        );
    }
    // What isn't needed needn't be there.
    let train = surroundings.locate(KnownSet::Mnist, &[Split::Train], None);
    assert_eq!(train.unwrap(), named);
}

#[test]
fn a_named_folder_that_is_none_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let absent = root.path().join("absent");
    let error = find(&Surroundings::default(), Some(&absent)).unwrap_err();
    assert!(matches!(error, LocateError::NotAFolder { origin: "--data", .. }));
}

#[test]
fn not_found_lists_every_place_and_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let incomplete = root.path().join("data/fashion-mnist");
    fs::create_dir_all(&incomplete).unwrap();
    let surroundings = Surroundings {
        variable: None,
        current: Some(root.path().to_path_buf()),
        program: Some(root.path().join("bin/capsnet")),
        cache: Some(root.path().join("cache")),
    };
    let message = surroundings
        .locate(KnownSet::FashionMnist, &[Split::Test], None)
        .unwrap_err()
        .to_string();
    for part in [
        "CAPSNET_DATA (not set)".to_owned(),
        format!("{} (has no t10k-images-idx3-ubyte[.gz])", incomplete.display()),
        format!(
            "{} (no such folder)",
            root.path().join("bin/data/fashion-mnist").display()
        ),
        format!("{}", root.path().join("cache/fashion-mnist").display()),
        "capsnet fetch fashion-mnist".to_owned(),
        "--data DIR".to_owned(),
    ] {
        assert!(message.contains(&part), "{part} is not in:\n{message}");
    }
    let once = format!("{} (", incomplete.display());
    assert_eq!(message.matches(&once).count(), 1);
}
