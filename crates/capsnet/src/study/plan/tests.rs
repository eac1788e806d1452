use capsnet_data::random::Seed;

use super::*;
use crate::model::{Classifier, Model};

fn planned(text: &str) -> Result<Vec<Planned>, Fault> {
    let machine = Machine {
        data: "digits".into(),
        threads: 3,
        images: None,
    };
    Ok(Plan::new(&Declaration::parse(text).unwrap(), &machine)?.variants)
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
        let device = device::device("cpu").unwrap();
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
        "{CAPSNET}[[variant]]\nname='w'\nweights-of='Caps 1'\n\
         [[variant]]\nname='t'\nmodel='lenet5'\nsame-time-as='Caps 1'"
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
}

#[test]
fn faults_name_the_line() {
    for (added, line, message) in [
        (
            "epoch = 2",
            6,
            "`Caps 1`: `epoch` is no setting here (did you mean `epochs`?)",
        ),
        ("epochs = 0", 6, "at least 1"),
        ("epochs = { a = 1 }", 6, "`epochs.a` can't be 1"),
        ("batch_size = 100000", 6, "1 to 65,536"),
        ("'model.vote_std' = -1", 6, "vote_std"),
        (
            "routing = 'uniform'\nrouting-iterations = 2",
            7,
            "no place beside `routing`",
        ),
        ("test = { batch-size = 3 }", 6, "`batch-size` is no setting here"),
        (
            "channels = [3]",
            6,
            "`channels` is for equivariant-capsnet, cnn, efficient-capsnet and hvc; capsnet has",
        ),
        ("kernel = 40", 1, "do not fit"),
        ("[[variant]]\nname='x'\nweights-of='y'", 8, "no variant `y` before"),
        ("[[variant]]\nname='caps-1'\nmodel='cnn'", 6, "too much alike"),
        ("[[variant]]\nname='-'\nmodel='cnn'", 6, "a letter or a digit"),
        (
            "[[variant]]\nname='x'\nmodel='lenet5'\nsame-parameters-as='Caps 1'",
            9,
            "`same-parameters-as` is for cnn; lenet5 has no use for it",
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

#[test]
fn the_example_and_the_studies_are_plans() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    for name in [
        "quick",
        "ablations",
        "augmentation",
        "routings",
        "iterations",
        "em",
        "efficient",
    ] {
        let declaration = Declaration::read(&folder.join(format!("{name}.toml"))).unwrap();
        let machine = Machine {
            data: "digits".into(),
            threads: 1,
            images: None,
        };
        let plan = Plan::new(&declaration, &machine).unwrap();
        assert!(plan.runs().len() >= plan.variants.len(), "{name}");
    }
    assert_eq!(
        std::fs::read_to_string(folder.join("quick.toml")).unwrap(),
        crate::study::EXAMPLE
    );
}

/// And no share needs what another one makes.
#[test]
fn every_run_is_of_one_share_with_what_it_depends_on() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/quick.toml");
    let machine = Machine {
        data: "digits".into(),
        threads: 1,
        images: None,
    };
    let plan = Plan::new(&Declaration::read(&file).unwrap(), &machine).unwrap();
    let depends = |run: &Run| match plan.variants[run.variant].origin {
        Origin::WeightsOf(of) => Some(of),
        Origin::Trained { as_long_as, .. } => as_long_as,
    };
    assert!(plan.runs().iter().any(|run| depends(run).is_some()));
    for of in 1..=12 {
        let shares = (1..=of).map(|number| plan.runs_of(format!("{number}/{of}").parse().unwrap()));
        let mut all = Vec::new();
        for share in shares {
            for run in &share {
                let found = share
                    .iter()
                    .find(|other| Some(other.variant) == depends(run) && other.seed == run.seed);
                assert!(depends(run).is_none() || found.is_some(), "{run:?} of {of}");
            }
            all.extend(share);
        }
        all.sort_by_key(|run| run.number);
        assert_eq!(all, plan.runs());
    }
}
