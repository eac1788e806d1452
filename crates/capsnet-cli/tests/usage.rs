//! Wrong usage ends with exit code 2 and advice; help and version are there.

mod support;

use capsnet_data::protocol::Family;
use support::capsnet;
use tempfile::tempdir;

/// The line, split at spaces, is refused with exit code 2, naming each of `parts`.
#[track_caller]
fn refused(line: &str, parts: &[&str]) {
    let folder = tempdir().unwrap();
    capsnet(folder.path(), line.split(' ')).fails(2, parts);
    assert_eq!(support::names_in(folder.path()), [""; 0], "`{line}` wrote something");
}

#[test]
fn angles_that_are_no_numbers() {
    for line in ["test lenet5 --rotate abc", "compare --rotate=15,abc"] {
        refused(line, &["abc", "--rotate", "not a decimal number", "from..to:step"]);
    }
    refused(
        "draw couplings --rotate abc",
        &["abc", "--rotate", "an angle in degrees"],
    );
    refused("compare --rotate=400", &["--rotate", "400", "360"]);
    refused("test lenet5 --rotate inf", &["inf", "--rotate"]);
    refused("test lenet5 --resample cubic", &["cubic", "nearest", "bilinear"]);
}

#[test]
fn numbers_out_of_range() {
    for flag in ["--batch-size", "--epochs", "--limit", "--threads", "--learning-rate"] {
        refused(&format!("train lenet5 {flag} 0"), &["'0'", flag]);
        refused(&format!("train lenet5 {flag} many"), &["'many'", flag]);
    }
    refused("train lenet5 --learning-rate nan", &["--learning-rate", "1e-3"]);
    refused("train capsnet --routing-iterations 101", &["--routing-iterations"]);
}

#[test]
fn names_that_are_unknown() {
    refused("train resnet", &["resnet", "lenet5", "capsnet"]);
    refused("fetch cifar", &["cifar", "mnist", "fashion-mnist"]);
    refused("dance", &["dance"]);
    refused("train lenet5 --schedule often", &["often", "constant", "cosine"]);
    refused("test lenet5 --device abacus", &["--device", "abacus", "cpu"]);
    refused("train capsnet --variant better", &["better", "paper", "tutorial"]);
}

#[test]
fn specifications_that_mean_nothing() {
    refused(
        "train lenet5 --augment wobble=3",
        &["--augment", "wobble", "translate=2"],
    );
    refused("train lenet5 --augment rotate=15..-15", &["--augment", "rotate"]);
    refused("test lenet5 --transform shear", &["--transform", "shear"]);
}

#[test]
fn sweeps_that_go_nowhere() {
    refused("sweep --rotate=", &["--rotate", "a number is missing"]);
    refused("sweep --rotate=0..90", &["--rotate", "needs a step", "0..90:5"]);
    refused("sweep --rotate=10..0:5", &["--rotate", "leads away"]);
    refused("sweep --noise=0..10:0", &["--noise", "a step of 0"]);
    refused("sweep --shear=a", &["--shear", "`a`"]);
    refused("sweep --spin=1", &["--spin"]);
    refused("sweep --rotate=1 --rotate=2", &["--rotate"]);
    // What the values mean is checked before anything is read.
    refused("sweep --scale=0..1:1", &["--scale", "scale=0"]);
    refused("sweep --shift-x=0..1:0.5", &["--shift-x", "0.5"]);
    refused("sweep --models lenet5,resnet", &["--models", "resnet", "lenet5"]);
    refused("sweep --weights =a.pt", &["--weights", "NAME=FILE"]);
    refused("sweep --resample cubic", &["cubic", "nearest"]);
}

#[test]
fn every_family_of_transforms_has_a_flag() {
    for family in Family::ALL {
        refused(&format!("sweep --{family}=a"), &[&format!("--{family}"), "`a`"]);
    }
}

#[test]
fn flags_that_do_not_go_together() {
    refused("train lenet5 --variant tutorial", &["--variant", "lenet5"]);
    refused(
        "train lenet5 --routing-iterations 3",
        &["--routing-iterations", "lenet5"],
    );
    refused("train lenet5 --resume runs/a --seed 4", &["--resume", "--seed"]);
    refused("train lenet5 --resume runs/a --out runs/b", &["--resume", "--out"]);
    refused("compare --epochs 2", &["--train"]);
    refused("compare --train --weights a.pt", &["--train", "--weights"]);
    refused("--limit 5 test lenet5", &["test"]);
    refused("predict lenet5", &["a picture is needed", "lenet5"]);
    refused("predict lenet6 a.png", &["lenet6", "lenet5, "]);
    refused("predict --models lenet5,no.pt a.png", &["no.pt", "capsnet"]);
    refused("predict lenet5 a.png --prepare much", &["--prepare", "auto", "none"]);
}

#[test]
fn help_has_an_example_of_every_command() {
    let folder = tempdir().unwrap();
    for name in [
        "compare",
        "train",
        "test",
        "equivariance",
        "predict",
        "convert",
        "info",
        "fetch",
        "compare",
        "train",
        "test",
        "sweep",
        "predict",
        "convert",
        "info",
        "fetch",
    ] {
        let help = capsnet(folder.path(), [name, "--help"]).done();
        let example = format!("\n  capsnet {name}");
        assert!(help.contains("Examples:") && help.contains(&example), "{help}");
    }
    let help = capsnet(folder.path(), ["--help"]).done();
    assert!(help.contains("compare") && help.contains("fetch"), "{help}");
}

#[test]
fn devices_are_listed_by_every_command_that_computes() {
    let folder = tempdir().unwrap();
    for command in ["train", "test", "compare", "sweep"] {
        // As with --help, nothing else need be right.
        let list = capsnet(folder.path(), [command, "--device", "list"]).done();
        assert!(list.starts_with("cpu "), "{list}");
        let help = capsnet(folder.path(), [command, "--help"]).done();
        assert!(help.contains("Where to compute: cpu"), "{help}");
    }
    assert_eq!(support::names_in(folder.path()), [""; 0]);
}

#[test]
fn version_is_the_packages() {
    let folder = tempdir().unwrap();
    let version = capsnet(folder.path(), ["--version"]).done();
    assert_eq!(version, format!("capsnet {}\n", env!("CARGO_PKG_VERSION")));
}

/// Flags of a kind stand under a heading, and no line is wider than a terminal.
#[test]
fn help_is_grouped_by_topic() {
    let folder = tempdir().unwrap();
    for (command, headings) in [
        (
            "train",
            &["Images:", "Training:", "The model:", "Computing:", "The run:"][..],
        ),
        ("sweep", &["Models and weights:", "Images:", "What to vary"]),
        ("test", &["Images:", "Models and weights:"]),
        ("predict", &["Models and weights:", "Computing:"]),
    ] {
        let help = capsnet(folder.path(), [command, "--help"]).done();
        for heading in headings {
            assert_eq!(
                help.matches(&format!("\n{heading}")).count(),
                1,
                "{heading} of {command}"
            );
        }
    }
}

/// No colours where standard error is no terminal.
#[test]
fn notices_in_a_file_are_plain() {
    let folder = tempdir().unwrap();
    let data = support::write_data(folder.path());
    let line = [
        "train",
        "mlp",
        "--data",
        support::text(&data),
        "--epochs",
        "1",
        "--limit",
        "2",
        "--out",
        "run",
    ];
    let run = capsnet(folder.path(), line);
    assert!(run.stderr.contains("warning: there is no image"), "{run:?}");
    assert!(!run.stderr.contains('\x1b') && !run.stdout.contains('\x1b'), "{run:?}");
}
