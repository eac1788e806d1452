use super::*;

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

fn pairs(declared: &[Declared]) -> Vec<String> {
    let pair = |Declared { setting, .. }: &Declared| format!("{}={}", setting.name, setting.value);
    declared.iter().map(pair).collect()
}

fn parse(text: &str) -> Result<Declaration, Fault> {
    Declaration::parse(text)
}

#[test]
fn a_variant_has_the_defaults_its_models_and_its_own_settings() {
    let study = parse(STUDY).unwrap();
    let [first, second, third] = &study.variants[..] else {
        panic!("three variants were declared");
    };
    assert_eq!(
        pairs(&first.train),
        [
            "batch_size=16",
            "epochs=2",
            "no-reconstruction=true",
            "share-votes=false"
        ]
    );
    assert_eq!(
        pairs(&second.train),
        ["batch_size=16", "learning-rate=0.0001", "channels=[4, 8]"]
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
        (pairs(&third.train), pairs(&third.test)),
        (vec![], vec!["couplings=\"uniform\"".to_owned()])
    );
    assert_eq!([first.line, second.line, third.line], [13, 19, 25]);
}

/// Each change is a line of the study and what stands there instead, which is also the line that the fault names.
#[test]
fn faults_name_the_line() {
    for (line, instead, message) in [
        (4, "seeds = [3, 3]", "different whole numbers"),
        (4, "seeds = []", "different whole numbers"),
        (4, "seeds = [-1]", "different whole numbers"),
        (7, "tests = \"none\"", "transforms in quotes"),
        (7, "tests = [\"turn=3\"]", "turn"),
        (7, "test-limit = 0", "at least 1"),
        (
            7,
            "protocols = \"corruptions\"",
            "studies take corruptions, translate, perturbations",
        ),
        (7, "protocols = [\"affnist\"]", "studies take corruptions"),
        (7, "protocols = [\"translate\", \"translate\"]", "different ones"),
        (9, "[models.resnet]", "no model `resnet`"),
        (14, "name = 3", "text in quotes"),
        (15, "model = 3", "a name in quotes"),
        (16, "seed = 3", "`seed` is no setting of a variant: a study has `seeds`"),
        (16, "data = \"a\"", "capsnet study --data"),
        (16, "protocol = \"affnist\"", "as they are"),
        (15, "model = \"alexnet\"", "there are lenet5, capsnet, "),
        (23, "epochs = 4", "no place beside `same-time-as`"),
        (28, "batch-size = 3", "no place beside `weights-of`"),
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

/// Keys of `config.toml` and names of flags are the same settings; the layers lie over each other all the same.
#[test]
fn keys_may_be_those_of_a_configuration() {
    let text = "[defaults]\nconv-channels = 3\nmodel.routing.iterations = 1\nadam = { beta_1 = 0.8 }\n\
                [[variant]]\nname = 'a'\nmodel = { name = 'capsnet', conv_channels = 5 }\nvariant = 'tutorial'\n";
    let study = parse(text).unwrap();
    let variant = &study.variants[0];
    assert_eq!(variant.model.as_ref().unwrap().name(), "capsnet");
    assert_eq!(
        pairs(&variant.train),
        [
            "variant=\"tutorial\"",
            "adam.beta_1=0.8",
            "model.conv_channels=5",
            "model.routing.iterations=1"
        ]
    );
}

#[test]
fn a_file_that_is_too_large_for_a_study_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.toml");
    std::fs::write(&path, "#".repeat((1 << 16) + 1)).unwrap();
    let error = Declaration::read(&path).unwrap_err();
    let said = format!("{error:?}");
    assert!(
        said.contains("large.toml") && said.contains("more than 64 KiB"),
        "{said}"
    );
}
