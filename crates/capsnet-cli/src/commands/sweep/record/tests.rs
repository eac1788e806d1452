use super::*;
use capsnet_measure::{Score, ScoreKind};

fn settings() -> Settings {
    Settings {
        program: "1".to_owned(),
        dataset: "digits".to_owned(),
        images: 10,
        data_sha256: "d".to_owned(),
        resample: "nearest".to_owned(),
        seed: 1,
        device: "cpu".to_owned(),
    }
}

fn entry(label: &str, sha256: &str) -> ModelEntry {
    ModelEntry {
        label: label.to_owned(),
        model: "lenet5".to_owned(),
        weights: "weights".to_owned(),
        sha256: sha256.to_owned(),
        parameters: 1,
        true_class: ScoreKind::Probability,
        trained_with: None,
    }
}

fn point(value: f64, correct: u64) -> SweepPoint {
    let score = Score {
        mean_true_score: Some(0.5),
        ..Score::new(10, correct)
    };
    SweepPoint::new(value, score).unwrap()
}

/// Two models along two families, with three points.
fn record() -> Record {
    let sweeps = ["rotate=0,15", "scale=1,2"].map(|text| text.parse().unwrap());
    let mut record = Record::new(settings(), vec![entry("a", "1"), entry("b", "2")], &sweeps, 0.1);
    record.add(0, 1, point(15.0, 7));
    record.add(0, 1, point(0.0, 9));
    record.add(1, 0, point(1.0, 8));
    record
}

#[test]
fn points_are_found_by_family_weights_and_value() {
    let record = record();
    assert_eq!(record.points(), 3);
    let found = |family: &str, sha256: &str, value: f64| record.find(family, &entry("renamed", sha256), value);
    assert_eq!(found("rotate", "2", 0.0), Some(point(0.0, 9)));
    assert_eq!(found("scale", "1", 1.0), Some(point(1.0, 8)));
    assert_eq!(found("rotate", "1", 0.0), None, "the other model's point");
    assert_eq!(found("rotate", "2", 1.0), None);
    assert_eq!(found("shear", "2", 0.0), None);
    let other_model = ModelEntry {
        model: "capsnet".to_owned(),
        ..entry("b", "2")
    };
    assert_eq!(record.find("rotate", &other_model, 0.0), None);
    // Points of a curve are in order, however they came.
    let values: Vec<f64> = record.sweeps[0].sweep.curves[1]
        .points
        .iter()
        .map(SweepPoint::value)
        .collect();
    assert_eq!(values, [0.0, 15.0]);
}

#[test]
fn a_point_of_other_images_is_not_taken() {
    let mut record = record();
    record.add(1, 1, SweepPoint::new(2.0, Score::new(9, 9)).unwrap());
    assert_eq!(record.find("scale", &entry("b", "2"), 2.0), None);
}

#[test]
fn a_saved_record_is_gone_on_with_only_under_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(earlier(folder.path(), &settings()).unwrap(), Earlier::Nothing));
    let record = record();
    record.save(folder.path()).unwrap();
    match earlier(folder.path(), &settings()).unwrap() {
        Earlier::Same(found) => assert_eq!(*found, record),
        _ => panic!("it is the same sweep"),
    }
    type Change = fn(&mut Settings);
    let changes: [(Change, &str); 7] = [
        (|s| s.program.push('x'), "version"),
        (|s| s.dataset.push('x'), "data set"),
        (|s| s.images += 1, "number of images"),
        (|s| s.data_sha256.push('x'), "data set"),
        (|s| s.resample.push('x'), "--resample"),
        (|s| s.seed += 1, "--seed"),
        (|s| s.device.push('x'), "--device"),
    ];
    for (change, name) in changes {
        let mut other = settings();
        change(&mut other);
        match earlier(folder.path(), &other).unwrap() {
            Earlier::Other(reason) => assert!(reason.contains(name), "{reason}"),
            _ => panic!("{name} differs"),
        }
    }
}

#[test]
fn what_is_no_record_is_kept_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, reason) in [
        (&b"{}"[..], "not the result of a sweep"),
        (b"half a", "not the result of a sweep"),
        (b"\xff\xfe", "not text"),
    ] {
        std::fs::write(Record::path(folder.path()), bytes).unwrap();
        match earlier(folder.path(), &settings()).unwrap() {
            Earlier::Other(found) => assert!(found.contains(reason), "{found}"),
            _ => panic!("{bytes:?}"),
        }
        let kept = keep(folder.path()).unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), bytes);
    }
}
