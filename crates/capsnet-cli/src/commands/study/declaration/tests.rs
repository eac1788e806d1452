use clap::CommandFactory;

use super::keys::TEST_KEYS;
use super::*;
use crate::args::Cli;

const STUDY: &str = r#"title = "a study"

[defaults]
seeds = [3, 5]
epochs = 2
batch_size = 16
tests = ["none", "rotate=35"]

[models.cnn]
epochs = 9
channels = [4, 8]

[[variant]]
name = "first"
model = "capsnet"
no-reconstruction = true
share-votes = false

[[variant]]
name = "second"
model = "cnn"
same-time-as = "first"
learning-rate = 1e-4

[[variant]]
name = "third"
weights-of = "first"
test = { couplings = "uniform" }
"#;

fn flags(settings: &[Setting]) -> Vec<String> {
    settings.iter().flat_map(Setting::arguments).collect()
}

#[test]
fn a_variant_has_the_defaults_its_models_and_its_own_settings() {
    let study = parse(STUDY).unwrap();
    let [first, second, third] = &study.variants[..] else {
        panic!("three variants were declared");
    };
    assert_eq!(
        flags(&first.train),
        ["--batch-size=16", "--epochs=2", "--no-reconstruction"]
    );
    let rate = "--learning-rate=0.0001";
    assert_eq!(
        flags(&second.train),
        ["--batch-size=16", "--channels=4", "--channels=8", rate]
    );
    assert_eq!(second.same_time_as, Some(("first".to_owned(), 22)));
    assert_eq!(first.seeds, Some(vec![3, 5]));
    assert_eq!(
        first.tests.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["none", "rotate=35"]
    );
    assert_eq!(
        (third.weights_of.as_ref().unwrap().0.as_str(), third.tests.len()),
        ("first", 2)
    );
    assert_eq!(
        (flags(&third.train), flags(&third.test)),
        (vec![], vec!["--couplings=uniform".to_owned()])
    );
    assert_eq!([first.line, second.line, third.line], [13, 19, 25]);
}

/// Each change is a line of the study and what stands there instead, which is also the line that the fault names.
#[test]
fn faults_name_the_line() {
    for (line, instead, message) in [
        (5, "epoch = 2", "`epoch` is no setting here"),
        (4, "seeds = [3, 3]", "different whole numbers"),
        (4, "seeds = []", "different whole numbers"),
        (4, "seeds = [-1]", "different whole numbers"),
        (7, "tests = \"none\"", "transforms in quotes"),
        (7, "tests = [\"turn=3\"]", "turn"),
        (7, "test-limit = 0", "at least 1"),
        (9, "[models.resnet]", "no model `resnet`"),
        (14, "name = 3", "text in quotes"),
        (15, "model = \"alexnet\"", "there are lenet5, capsnet, "),
        (16, "epochs = { a = 1 }", "a number or text"),
        (23, "epochs = 4", "no place beside `same-time-as`"),
        (28, "batch-size = 3", "no place beside `weights-of`"),
        (
            28,
            "test = { batch-size = 3 }",
            "`batch-size` is no setting here; there are couplings",
        ),
        (28, "test = \"uniform\"", "must be a table"),
        (5, "epochs = ", "must be quoted"),
        (5, "epochs = 2\n[extra]", "unknown field"),
    ] {
        let mut lines: Vec<&str> = STUDY.lines().collect();
        lines[line - 1] = instead;
        let fault = parse(&lines.join("\n")).unwrap_err();
        assert!(fault.message.contains(message), "{instead}: {fault:?}");
        let expected = line + instead.matches('\n').count();
        assert_eq!(fault.line, expected, "{instead}: {fault:?}");
    }
}

#[test]
fn a_variant_needs_a_name_and_a_model() {
    for (without, line) in [(14, 13), (15, 13)] {
        let mut lines: Vec<&str> = STUDY.lines().collect();
        lines[without - 1] = "";
        assert_eq!(parse(&lines.join("\n")).unwrap_err().line, line);
    }
    assert!(parse("").unwrap_err().message.contains("[[variant]]"));
}

#[test]
fn every_key_is_a_flag_of_the_command_line() {
    let cli = Cli::command();
    for (command, keys) in [("train", &TRAIN_KEYS[..]), ("test", &TEST_KEYS[..])] {
        let command = cli.find_subcommand(command).unwrap();
        let known: Vec<&str> = command
            .get_arguments()
            .filter_map(|argument| argument.get_long())
            .collect();
        for key in keys {
            assert!(known.contains(key), "{key}");
        }
    }
}
