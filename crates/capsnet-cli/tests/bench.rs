//! `bench`: the object that scripts read, figures that agree with each other, and refusals.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{capsnet, write_data};
use tempfile::{TempDir, tempdir};

fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    folder
}

/// The object that `bench step` prints with these flags, split at spaces.
fn benched(folder: &Path, flags: &str) -> Value {
    let line = format!("bench step {flags} --data digits --threads 2 --json");
    capsnet(folder, line.split(' ')).json()
}

/// Insists on figures that a clock can have given.
#[track_caller]
fn assert_timed(report: &Value) {
    let number = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("no {name} in {report}"));
    assert!(
        number("min_ms") > 0.0 && number("min_ms") <= number("median_ms"),
        "{report}"
    );
    let rate = number("batch_size") * 1e3 / number("median_ms");
    assert!((number("images_per_s") / rate - 1.0).abs() < 1e-9, "{report}");
    assert_eq!(report["threads"], 2);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let sets = ["avx512", "avx2", "portable"].map(Value::from);
    assert!(sets.contains(&report["instruction_set"]), "{report}");
    if cfg!(target_os = "linux") {
        assert!(number("peak_rss_mb") > 1.0, "{report}");
    }
}

#[test]
fn training_lenet5() {
    let folder = prepared();
    let report = benched(
        folder.path(),
        "lenet5 --batch-size 7 --steps 25 --group 10 --warmup 60 --augment translate=2",
    );
    assert_timed(&report);
    assert_eq!(report["model"], "lenet5");
    assert_eq!(report["mode"], "train");
    assert_eq!(report["batch_size"], 7);
    assert_eq!(report["augment"], "translate=2");
    assert_eq!(report["parameters"], 44_426);
    // Three whole blocks.
    assert_eq!([&report["steps"], &report["group"], &report["warmup"]], [30, 10, 60]);
    // It does train: it begins at chance, ln 10, and gets below.
    let (first, last) = (
        report["loss_first"].as_f64().unwrap(),
        report["loss_last"].as_f64().unwrap(),
    );
    assert!((first - 10f64.ln()).abs() < 0.1 && last < first, "{report}");
    assert_eq!(support::names_in(folder.path()), ["digits"], "it wrote something");
}

#[test]
fn training_capsnet() {
    let folder = prepared();
    let report = benched(folder.path(), "capsnet --batch-size 3 --steps 1 --warmup 1");
    assert_timed(&report);
    assert_eq!(report["model"], "capsnet");
    assert_eq!(report["augment"], "none");
    assert_eq!(report["parameters"], 8_215_568);
    assert_eq!([&report["steps"], &report["group"], &report["warmup"]], [1, 1, 1]);
    assert_ne!(report["loss_first"], report["loss_last"]);
}

#[test]
fn inference_has_no_loss() {
    let folder = prepared();
    for model in ["lenet5", "capsnet"] {
        let report = benched(
            folder.path(),
            &format!("{model} --mode infer --batch-size 1 --steps 2 --warmup 0"),
        );
        assert_timed(&report);
        assert_eq!(report["mode"], "infer");
        assert_eq!([&report["loss_first"], &report["loss_last"]], [&Value::Null; 2]);
        assert_eq!(report["steps"], 2);
    }
}

/// The loss is that of a training with the same seed: the steps are the same.
#[test]
fn steps_are_those_of_a_training() {
    let folder = prepared();
    let report = benched(
        folder.path(),
        "lenet5 --batch-size 48 --steps 1 --warmup 0 --augment none",
    );
    let train =
        "train lenet5 --data digits --validation 0 --batch-size 48 --epochs 1 --augment none --threads 2 --out run";
    capsnet(folder.path(), train.split(' ')).done();
    let metrics = std::fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let metrics: Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
    let (benched, trained) = (
        report["loss_first"].as_f64().unwrap(),
        metrics["train_loss"].as_f64().unwrap(),
    );
    // The images come in another order, and sums in another order round differently.
    assert!((benched - trained).abs() < 1e-5, "{benched} and {trained}");
}

/// Lines of the profile make up the step, and what has a count of operations has a share of the machine's peak.
#[test]
fn a_profile_says_where_the_time_goes() {
    let folder = prepared();
    let report = benched(folder.path(), "capsnet --batch-size 3 --steps 2 --warmup 1 --profile");
    assert_timed(&report);
    let profile = &report["profile"];
    let number = |of: &Value| of.as_f64().unwrap_or_else(|| panic!("no number in {profile}"));
    let lines = profile["lines"].as_array().unwrap();
    let total: f64 = lines.iter().map(|line| number(&line["ms"])).sum();
    assert!((total / number(&profile["step_ms"]) - 1.0).abs() < 1e-9, "{profile}");
    let shares: f64 = lines.iter().map(|line| number(&line["share"])).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{profile}");
    let of = |name: &str, way: &str| {
        let found = lines.iter().find(|line| line["name"] == name && line["way"] == way);
        found.unwrap_or_else(|| panic!("no {name} {way} in {profile}"))
    };
    // Two convolutions, three layers of the decoder, and their gradients.
    for (name, calls) in [("convolution", 2.0), ("dense", 3.0), ("routing", 1.0)] {
        for way in ["forward", "backward"] {
            let line = of(name, way);
            assert_eq!(line["calls"], calls, "{line}");
            let ratio = number(&line["gflops"]) / number(&profile["peak"]["f32_gflops"]);
            assert!((number(&line["share_of_peak"]) / ratio - 1.0).abs() < 1e-9, "{line}");
        }
    }
    assert_eq!(of("Adam", "backward")["calls"], 11.0, "one a tensor of weights");
    assert_eq!(lines.last().unwrap()["name"], "everything else");
    // The convolutions alone take 3 * 3 times 2 * 256 * 20 * 20 * 81 and 2 * 256 * 36 * 256 * 81, without the gradient
    // of the images.
    let convolutions = 3.0 * (2.0 * 256.0 * 400.0 * 81.0 * 2.0 + 2.0 * 256.0 * 36.0 * 256.0 * 81.0 * 3.0) / 1e9;
    assert!(number(&profile["gflop"]) > convolutions, "{profile}");
    assert!(number(&profile["gflop"]) < convolutions * 1.2, "{profile}");
}

#[test]
fn the_peak_of_a_machine() {
    let folder = tempdir().unwrap();
    let peak = capsnet(folder.path(), "bench peak --threads 2 --json".split(' ')).json();
    assert_eq!(peak["threads"], 2);
    for name in ["f32_gflops", "read_gb_per_s"] {
        assert!(peak[name].as_f64().is_some_and(|rate| rate > 0.0), "{peak}");
    }
    let text = capsnet(folder.path(), "bench peak --threads 1".split(' ')).done();
    for part in ["1 thread,", "GFLOP/s", "GB/s"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn people_get_a_table() {
    let folder = prepared();
    let line = "bench step lenet5 --data digits --batch-size 8 --steps 4 --warmup 0";
    let text = capsnet(folder.path(), line.split(' ')).done();
    for part in [
        "LeNet-5",
        "44,426 parameters",
        "4 steps timed",
        "in blocks of 4",
        "median ms",
        "images/s",
        "last loss",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn refusals() {
    let folder = prepared();
    let refused = |line: &str, parts: &[&str]| {
        let line = format!("bench {line}");
        capsnet(folder.path(), line.split(' ')).fails(2, parts);
    };
    refused("step lenet5 --batch-size 0", &["'0'", "--batch-size"]);
    refused("step lenet5 --steps none", &["'none'", "--steps"]);
    refused(
        "step lenet5 --data digits --batch-size 49",
        &["--batch-size", "49", "48 images"],
    );
    refused(
        "step lenet5 --data digits --batch-size 70000",
        &["batch-size", "65,536"],
    );
    refused(
        "step lenet5 --mode infer --augment translate=2",
        &["--augment", "--mode train"],
    );
    refused("step lenet5 --mode idle", &["idle", "train", "infer"]);
    refused("step resnet", &["resnet", "lenet5", "capsnet"]);
    refused("jump", &["jump"]);
    // Not wrong usage, but a folder without data.
    capsnet(folder.path(), "bench step lenet5 --data nowhere".split(' ')).fails(1, &["nowhere"]);
}

#[test]
fn help_explains_the_blocks() {
    let folder = tempdir().unwrap();
    let help = capsnet(folder.path(), ["bench", "step", "--help"]).done();
    for part in [
        "--group",
        "one block",
        "before the clock runs",
        "Examples:",
        "capsnet bench step lenet5",
    ] {
        assert!(help.contains(part), "no `{part}` in {help}");
    }
}
