//! What a study measures beside transforms: corruptions, attacks and whole protocols.

use std::fs;

use tempfile::tempdir;

use super::support::{capsnet, write_data};
use super::{ARGUMENTS, folder, numbers, study, written};

/// Corruptions and attacks stand among a study's tests by the text that a transform has.
#[test]
fn corruptions_and_attacks_are_tests_too() {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    let text = r#"
title = "attacked"
[defaults]
tests = ["none", "corrupt=fog", "fgsm=0.2", "bim=0.1:3:0.05"]
epochs = 1
validation = 0
[[variant]]
name = "LeNet-5"
model = "lenet5"
test = { resample = "bilinear" }
"#;
    fs::write(folder.path().join("study.toml"), text).unwrap();
    let outcome = study(folder.path());
    let tests = outcome["variants"][0]["tests"].as_array().unwrap();
    let names: Vec<&str> = tests.iter().map(|test| test["transform"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["resample=bilinear", "corrupt=fog", "fgsm=0.2", "bim=0.1:3:0.05"]
    );
    assert!(tests.iter().all(|test| test["images"] == 40));

    fs::write(folder.path().join("study.toml"), text.replace("=fog", "=rust")).unwrap();
    capsnet(folder.path(), ARGUMENTS).fails(1, &["study.toml", "`tests`", "`rust`", "known are shot_noise"]);
}

/// The figures of a protocol are those of `capsnet test --protocol`, seed by seed; adding one trains and tests nothing
/// anew.
#[test]
fn protocols_are_columns_of_the_table() {
    let folder = folder();
    let root = folder.path();
    let declared = |more: &str| {
        let text = format!(
            "[defaults]\nseeds = [1, 2]\nlimit = 40\nepochs = 1\nvalidation = 0\ntest-limit = 30\n{more}\n\n\
             [[variant]]\nname = \"small\"\nmodel = \"lenet5\"\n"
        );
        fs::write(root.join("study.toml"), text).unwrap();
    };
    declared("");
    let plain = study(root);
    assert!(plain["variants"][0].get("robustness").is_none(), "{plain}");
    let weights = root.join("runs/study/small/seed-1/last.safetensors");
    let before = written(&weights);
    declared("protocols = [\"corruptions\", \"translate\"]");
    let with = study(root);
    assert_eq!(written(&weights), before, "nothing was trained anew");
    assert_eq!(with["variants"][0]["tests"], plain["variants"][0]["tests"]);
    let figures = with["variants"][0]["robustness"].as_array().unwrap();
    let of = |name: &str| figures.iter().find(|figure| figure["figure"] == name).unwrap();
    let error = of("mean_corruption_error");
    assert_eq!(
        (&error["protocol"], &error["reference"]),
        (&"corruptions".into(), &"LeNet-5".into())
    );
    for (seed, value) in [1, 2].into_iter().zip(numbers(&error["values"])) {
        let weights = format!("runs/study/small/seed-{seed}/last.safetensors");
        let args = [
            "test",
            "lenet5",
            "--data",
            "digits",
            "--protocol",
            "corruptions",
            "--json",
            "--limit",
            "30",
        ];
        let tested = capsnet(root, [&args[..], &["--weights", &weights]].concat()).json();
        assert_eq!(value, tested["mean_corruption_error"].as_f64().unwrap());
    }
    let mean = numbers(&error["values"]).iter().sum::<f64>() / 2.0;
    assert!((error["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(error["interval"].is_array());
    assert!(of("consistency")["mean"].as_f64().unwrap() <= 1.0);
    for file in ["results.md", "report.html"] {
        let text = fs::read_to_string(root.join("runs/study").join(file)).unwrap();
        for part in [
            "mean corruption error",
            "consistency",
            "Hendrycks",
            "LeNet-5 with this library",
        ] {
            assert!(text.contains(part), "{file} has no `{part}`");
        }
    }
    let shown = capsnet(root, ARGUMENTS).done();
    assert!(shown.contains("mean corruption error"), "{shown}");
}
