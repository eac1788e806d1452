//! `capsnet predict` on pictures as people have them.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use capsnet_data::embedded;
use capsnet_data::picture::write_png_gray;
use serde_json::Value;
use support::{capsnet, fixture, names_in, text};
use tempfile::tempdir;

fn picture(name: &str) -> PathBuf {
    fixture("pictures").join(name)
}

fn answers(root: &Path, args: &[&str]) -> Vec<Value> {
    let json = capsnet(root, [&["predict", "--json"], args].concat()).json();
    json.as_array().unwrap().clone()
}

/// Black ink on a transparent ground, in a corner, from a drawing program, and as MNIST has it: sevens without a flag.
#[test]
fn sevens_are_sevens() {
    let folder = tempdir().unwrap();
    for name in ["alpha-black-ink.png", "paint7.png", "small-in-corner.png", "mnist7.png"] {
        let records = answers(
            folder.path(),
            &["--models", "lenet5,capsnet,em-capsnet", text(&picture(name))],
        );
        let units = [
            ("LeNet-5", "probability"),
            ("CapsNet", "length"),
            ("EM-CapsNet", "activation"),
        ];
        assert_eq!(records.len(), units.len());
        for (record, (model, unit)) in records.iter().zip(units) {
            assert_eq!(record["prediction"], "seven", "{name}: {record}");
            assert_eq!(record["recognised"], true, "{name}: {record}");
            assert_eq!((&record["model"], &record["unit"]), (&model.into(), &unit.into()));
            assert_eq!(record["score"], record["scores"][7]);
            assert!(record["threshold"].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn a_blank_and_a_cut_picture_are_refused() {
    let folder = tempdir().unwrap();
    for (name, fault) in [("black.png", "nothing to recognise"), ("jpg-cut.jpg", "truncated")] {
        let path = picture(name);
        capsnet(folder.path(), ["predict", "lenet5", text(&path)]).fails(1, &[name, fault]);
    }
}

#[test]
fn a_folder_is_answered_in_order_and_a_bad_file_stops_no_other() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let scans = root.join("scans");
    fs::create_dir(&scans).unwrap();
    for (name, as_name) in [
        ("paint7.png", "b.PNG"),
        ("mnist7.png", "c.png"),
        ("jpg-cut.jpg", "a.jpg"),
    ] {
        fs::copy(picture(name), scans.join(as_name)).unwrap();
    }
    fs::write(scans.join("notes.txt"), "no picture").unwrap();
    let run = capsnet(
        root,
        ["predict", "lenet5", "scans", "absent.png", "--json", "--seen", "seen"],
    );
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("scans: 3 pictures"), "{run:?}");
    assert!(run.stderr.contains("no answer for 2 of 4 pictures"), "{run:?}");
    let records: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let images: Vec<&str> = records.iter().map(|record| record["image"].as_str().unwrap()).collect();
    assert_eq!(images, ["scans/a.jpg", "scans/b.PNG", "scans/c.png", "absent.png"]);
    let given: Vec<bool> = records
        .iter()
        .map(|record| record["recognised"].as_bool().unwrap())
        .collect();
    assert_eq!(given, [false, true, true, false]);
    assert!(records[0]["error"].as_str().unwrap().contains("truncated"));
    assert_eq!(records[1]["ground"], "bright");
    assert_eq!(names_in(&root.join("seen")), ["002-b-seen.png", "003-c-seen.png"]);
    assert_eq!(records[1]["seen"], "seen/002-b-seen.png");
    // What was seen is prepared, and is answered alike.
    let again = answers(root, &["lenet5", "seen/002-b-seen.png"]);
    assert_eq!(again[0]["scores"], records[1]["scores"]);
}

#[test]
fn standard_input_is_a_picture() {
    let folder = tempdir().unwrap();
    let file = fs::File::open(picture("paint7.png")).unwrap();
    let output = support::command(folder.path())
        .args(["predict", "lenet5", "-", "--json"])
        .stdin(Stdio::from(file))
        .output()
        .unwrap();
    let records = support::Run::from(output).json();
    assert_eq!(
        (&records[0]["image"], &records[0]["prediction"]),
        (&"-".into(), &"seven".into())
    );
}

#[test]
fn little_is_not_recognised_and_says_so() {
    let folder = tempdir().unwrap();
    let path = picture("paint7.png");
    let args = ["predict", "capsnet", text(&path), "--threshold", "1"];
    let said = capsnet(folder.path(), args).done();
    assert!(
        said.contains("nothing recognised") && said.contains("seven, length 0."),
        "{said}"
    );
    let records = answers(folder.path(), &args[1..]);
    assert_eq!(records[0]["recognised"], false);
    for score in ["nan", "-0.1", "2"] {
        let line = ["predict", "capsnet", text(&path), &format!("--threshold={score}")];
        capsnet(folder.path(), line).fails(2, &["a score from 0 to 1"]);
    }
}

/// `--invert` has the last word on the ground; without preparation the picture is stretched, as it is.
#[test]
fn invert_and_none_override() {
    let folder = tempdir().unwrap();
    let (paint, mnist) = (picture("paint7.png"), picture("mnist7.png"));
    let auto = answers(folder.path(), &["lenet5", text(&paint)]);
    let inverted = answers(folder.path(), &["lenet5", text(&paint), "--invert"]);
    assert_eq!(auto[0]["scores"], inverted[0]["scores"]);
    let [plain, prepared] =
        ["none", "auto"].map(|how| answers(folder.path(), &["lenet5", text(&mnist), "--prepare", how]));
    assert_eq!(plain[0]["scores"], prepared[0]["scores"]);
    assert_eq!(plain[0]["ground"], Value::Null);
}

/// MNIST's own images as pictures are answered as `test` answers them.
#[test]
fn images_of_the_test_set_are_answered_as_in_a_test() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let digits = embedded::digits();
    let scans = root.join("scans");
    fs::create_dir(&scans).unwrap();
    for index in 0..digits.len() {
        write_png_gray(&scans.join(format!("{index:04}.png")), 28, 28, digits.image(index)).unwrap();
    }
    // The digits inside the program are the sample that this limit takes.
    let tested = capsnet(root, ["test", "lenet5", "--limit", "1000", "--json"]).json();
    let tested: Vec<Vec<u64>> = serde_json::from_value(tested["results"][0]["confusion"].clone()).unwrap();
    let confusion = |prepare: &str| {
        let mut confusion = vec![vec![0; 10]; 10];
        let records = answers(root, &["lenet5", "--prepare", prepare, text(&scans)]);
        assert_eq!(records.len(), digits.len());
        for (index, record) in records.iter().enumerate() {
            let answer = record["class"].as_u64().unwrap() as usize;
            confusion[usize::from(digits.label(index))][answer] += 1;
        }
        confusion
    };
    assert_eq!(confusion("none"), tested);
    let right = |confusion: &[Vec<u64>]| (0..10).map(|class| confusion[class][class]).sum::<u64>();
    assert!(right(&confusion("auto")).abs_diff(right(&tested)) <= 1);
}
