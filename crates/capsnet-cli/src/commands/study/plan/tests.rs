use std::fs;

use capsnet::model::{Architecture, Classifier, ModelConfig};

use super::super::declaration::parse;
use super::*;

/// The arguments of a study of data that nobody looks into.
fn arguments(folder: &tempfile::TempDir) -> StudyArgs {
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let data = folder.path().to_str().unwrap();
    let cli = Cli::try_parse_from(["capsnet", "study", "file.toml", "--data", data, "--threads", "3"]).unwrap();
    match cli.command {
        Some(Command::Study(args)) => args,
        other => panic!("{other:?}"),
    }
}

fn planned(text: &str) -> Result<Vec<Planned>, Fault> {
    let folder = tempfile::tempdir().unwrap();
    plan(&parse(text).unwrap(), &arguments(&folder))
}

fn config(planned: &Planned) -> &TrainConfig {
    match &planned.origin {
        Origin::Trained { config, .. } => config,
        Origin::WeightsOf(_) => panic!("`{}` is not trained", planned.name),
    }
}

const CAPSNET: &str = "[[variant]]\nname = 'Caps 1'\nmodel = 'capsnet'\nconv-channels = 16\nprimary-maps = 4\n";

#[test]
fn settings_mean_what_the_flags_mean() {
    let text = format!("{CAPSNET}couplings = 'random:9'\nrouting-iterations = 0\nepochs = 7\nseeds = [4]");
    let plan = planned(&text).unwrap();
    let config = config(&plan[0]);
    let ModelConfig::CapsNet(model) = &config.model else {
        panic!("{:?}", config.model);
    };
    assert_eq!((model.conv_channels, model.primary_maps), (16, 4));
    assert_eq!(
        (model.routing.to_string().as_str(), model.routing.iterations()),
        ("random:9", 0)
    );
    assert_eq!((config.epochs, config.threads, config.batch_size), (7, 3, 128));
    assert_eq!((plan[0].folder.as_str(), &plan[0].seeds[..]), ("caps-1", &[4][..]));
}

#[test]
fn a_variant_names_its_routing() {
    let plan = planned(&format!("{CAPSNET}routing = 'dynamic-inputs:2'")).unwrap();
    let ModelConfig::CapsNet(model) = &config(&plan[0]).model else {
        panic!("{:?}", plan[0].name);
    };
    assert_eq!(model.routing.to_string(), "dynamic-inputs:2");
}

#[test]
fn a_cnn_gets_the_size_of_another_variant() {
    let plan = planned(&format!(
        "{CAPSNET}[[variant]]\nname='c'\nmodel='cnn'\nsame-parameters-as='Caps 1'"
    ))
    .unwrap();
    let size = |planned: &Planned| {
        let device = capsnet::device::device("cpu").unwrap();
        Model::new(config(planned).model.clone(), Seed(1), &device)
            .unwrap()
            .parameters()
    };
    let (capsnet, cnn) = (size(&plan[0]), size(&plan[1]));
    assert!(
        capsnet.abs_diff(cnn) as f64 <= 0.003 * capsnet as f64,
        "{capsnet}, {cnn}"
    );
}

#[test]
fn references_lead_to_variants_before() {
    let text = format!(
        "{CAPSNET}[[variant]]\nname='w'\nweights-of='Caps 1'\n[[variant]]\nname='t'\nmodel='lenet5'\nsame-time-as='Caps 1'"
    );
    let plan = planned(&text).unwrap();
    assert!(matches!(plan[1].origin, Origin::WeightsOf(0)));
    assert!(matches!(
        &plan[2].origin,
        Origin::Trained {
            as_long_as: Some(0),
            ..
        }
    ));
    assert_eq!(plan[1].model.name(), "capsnet");
}

#[test]
fn faults_name_the_line() {
    for (added, line, message) in [
        ("epochs = 0", 6, "at least 1"),
        ("channels = [3]", 1, "--channels is for cnn"),
        ("kernel = 40", 1, "do not fit"),
        ("[[variant]]\nname='x'\nweights-of='y'", 8, "no variant `y` before"),
        ("[[variant]]\nname='caps-1'\nmodel='cnn'", 6, "too much alike"),
        ("[[variant]]\nname='-'\nmodel='cnn'", 6, "a letter or a digit"),
        (
            "[[variant]]\nname='x'\nmodel='lenet5'\nsame-parameters-as='Caps 1'",
            6,
            "--parameters is for cnn",
        ),
        (
            "[[variant]]\nname='x'\nmodel='cnn'\nsame-time-as='Caps 1'\nschedule='cosine'",
            10,
            "cosine",
        ),
        (
            "[[variant]]\nname='x'\nmodel='cnn'\nsame-time-as='Caps 1'\nseeds=[2]",
            6,
            "not trained with seed 2",
        ),
        (
            "[[variant]]\nname='x'\nweights-of='Caps 1'\ntest={couplings='some'}",
            9,
            "random:SEED",
        ),
    ] {
        let fault = planned(&format!("{CAPSNET}{added}\n")).unwrap_err();
        assert!(fault.message.contains(message), "{added}: {fault:?}");
        assert_eq!(fault.line, line, "{added}: {fault:?}");
    }
}
