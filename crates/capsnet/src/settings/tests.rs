use super::*;
use crate::model::CnnConfig;

fn set_all(model: &str, settings: &[&str]) -> Result<TrainConfig, SettingError> {
    let settings: Result<Vec<Setting>, _> = settings.iter().map(|text| text.parse()).collect();
    configure(Some(model), &[], &settings?)
}

fn model_of(model: &str, settings: &[&str]) -> serde_json::Value {
    serde_json::to_value(set_all(model, settings).unwrap().model).unwrap()
}

#[test]
fn keys_and_flags_mean_the_same() {
    for (key, flag) in [
        ("batch_size=4", "batch-size=4"),
        ("model.routing.iterations=1", "routing-iterations=1"),
        ("model.routing.couplings.random=4", "couplings=random:4"),
        ("model.conv_channels=16", "conv_channels=16"),
        ("model.routing=random:7", "routing=random:7"),
        ("model.decoder=none", "no-reconstruction=true"),
        ("model.share_votes=true", "share-votes=true"),
        ("augment='a'", "augment=none"),
    ] {
        let key = key.replace("'a'", "none");
        let by_key = set_all("capsnet", &[&key]).unwrap();
        assert_eq!(by_key, set_all("capsnet", &[flag]).unwrap(), "{key}");
        assert_ne!(by_key, set_all("capsnet", &[]).unwrap(), "{key}");
    }
}

#[test]
fn every_flag_sets_its_key() {
    let value = |flag: &Flag| match flag.name {
        "protocol" => "affnist",
        "schedule" => "cosine",
        "augment" => "rotate=3",
        "variant" => "tutorial",
        "couplings" | "routing" => "uniform",
        _ if flag.is_switch() => "true",
        _ => "7",
    };
    for flag in &FLAGS {
        let text = format!("{}={}", flag.name, value(flag));
        let takers = ModelConfig::all();
        let takers: Vec<_> = takers
            .into_iter()
            .map(|model| (set_all(model.name(), &[&text]), model))
            .collect();
        let changed = |(result, model): &(Result<TrainConfig, SettingError>, ModelConfig)| {
            result
                .as_ref()
                .is_ok_and(|config| *config != TrainConfig::for_model(model.clone()))
        };
        assert!(takers.iter().any(changed), "{text}: {takers:?}");
    }
}

#[test]
fn values_may_stand_without_quotes() {
    let config = set_all(
        "lenet5",
        &[
            "data=1999",
            "limit=5",
            "patience=2",
            "augment=rotate=3",
            "schedule=\"cosine\"",
        ],
    )
    .unwrap();
    assert_eq!(config.data.to_str(), Some("1999"));
    assert_eq!((config.limit, config.patience), (Some(5), Some(2)));
    assert_eq!(
        (config.augment.to_string(), config.schedule.to_string()),
        ("rotate=3".to_owned(), "cosine".to_owned())
    );
    assert_eq!(set_all("lenet5", &["limit=5", "limit=none"]).unwrap().limit, None);
}

#[test]
fn the_variant_is_all_in_which_they_differ() {
    let tutorial = set_all("capsnet", &["variant=tutorial"]).unwrap().model;
    assert_eq!(tutorial, ModelConfig::CapsNet(crate::model::CapsNetConfig::tutorial()));
    let back = set_all("capsnet", &["variant=tutorial", "primary-maps=4", "variant=paper"])
        .unwrap()
        .model;
    assert_eq!(back, set_all("capsnet", &["primary-maps=4"]).unwrap().model);
}

#[test]
fn a_cnn_follows_from_what_is_given() {
    assert_eq!(
        model_of("cnn", &["channels=[2, 3]"])["strides"],
        serde_json::json!([1, 2])
    );
    let ModelConfig::Cnn(config) = set_all("cnn", &["parameters=50000", "protocol=affnist"]).unwrap().model else {
        panic!("a cnn was asked for");
    };
    assert_eq!(config, CnnConfig::with_parameters(config.image, 10, 50_000));
    assert_eq!(config.image.height, 40);
    let ModelConfig::Cnn(config) = set_all("cnn", &["protocol=affnist"]).unwrap().model else {
        panic!("a cnn was asked for");
    };
    assert_eq!(
        config,
        CnnConfig::with_parameters(config.image, 10, CnnConfig::OF_CAPSNET)
    );
}

#[test]
fn the_mlp_has_one_width() {
    assert_eq!(model_of("mlp", &["hidden=[500]"])["hidden"], 500);
    assert_eq!(model_of("mlp", &["hidden=500"])["hidden"], 500);
    let error = set_all("mlp", &["hidden=[3, 4]"]).unwrap_err().to_string();
    assert!(error.contains("whole number"), "{error}");
}

#[test]
fn refusals_name_the_key_the_value_and_the_rule() {
    for (model, setting, parts) in [
        ("lenet5", "epoch=3", &["`epoch`", "did you mean `epochs`?"][..]),
        ("lenet5", "batch=3", &["did you mean `batch-size`?"]),
        ("capsnet", "model.primary_map=3", &["`model.primary_map`", "primary"]),
        (
            "capsnet",
            "model.routing.iteration=3",
            &["did you mean `model.routing.iterations`?"],
        ),
        ("lenet5", "zzz=3", &["`zzz`", "config.toml"]),
        (
            "lenet5",
            "epochs=many",
            &["`epochs` can't be many", "whole number of at least 1"],
        ),
        ("lenet5", "epochs=0", &["`epochs` can't be 0", "at least 1"]),
        (
            "lenet5",
            "adam.beta_1=fast",
            &["`adam.beta_1` can't be fast", "a number"],
        ),
        ("lenet5", "threads=-2", &["`threads` can't be -2", "whole number"]),
        ("lenet5", "limit=few", &["`limit` can't be few", "whole number"]),
        ("lenet5", "schedule=3", &["`schedule` can't be 3", "constant"]),
        ("lenet5", "epochs=none", &["`epochs` can't be none"]),
        ("capsnet", "model.image.height=tall", &["can't be tall", "whole number"]),
        (
            "lenet5",
            "couplings=uniform",
            &["`couplings` is for capsnet", "lenet5 has no use for it"],
        ),
        ("lenet5", "no-reconstruction=true", &["is for capsnet", "lenet5"]),
        (
            "cnn",
            "routing-iterations=2",
            &["is for capsnet, equivariant-capsnet and em-capsnet", "cnn"],
        ),
        ("capsnet", "model.hidden=[3]", &["is for cnn", "capsnet"]),
        (
            "capsnet",
            "model.name=cnn",
            &["`model.name` is cnn, but capsnet is to be trained"],
        ),
        ("resnet", "epochs=3", &["no model `resnet`", "lenet5, capsnet, "]),
        ("lenet5", "epochs", &["KEY=VALUE"]),
        ("lenet5", "=3", &["KEY=VALUE"]),
    ] {
        let error = set_all(model, &[setting]).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{setting}: {error}");
        }
    }
    let error = set_all("cnn", &["parameters=9", "channels=[3]"])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`channels` has no place beside `parameters`, from which it follows"
    );
}

#[test]
fn a_part_sets_what_it_has_and_a_whole_everything() {
    let part = |text: &str| Part::parse(text, "a.toml").unwrap();
    let some = part("epochs = 9\n[model]\nname = 'capsnet'\nrouting = { iterations = 1 }");
    let config = configure(None, std::slice::from_ref(&some), &["epochs=10".parse().unwrap()]).unwrap();
    assert_eq!((config.epochs, config.model.name()), (10, "capsnet"));
    let whole = set_all("capsnet", &["no-reconstruction=true", "batch-size=3"]).unwrap();
    let text = toml::to_string_pretty(&whole).unwrap();
    assert_eq!(configure(None, &[some.clone(), part(&text)], &[]).unwrap(), whole);
    let elsewhere = text
        .lines()
        .filter(|line| !line.starts_with("data = "))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(configure(None, &[part(&elsewhere)], &[]).unwrap(), whole);
    let error = configure(Some("cnn"), &[some], &[]).unwrap_err().to_string();
    assert!(error.contains("`model.name` of a.toml is capsnet, but cnn"), "{error}");
    let error = configure(Some("cnn"), &[part("epoch = 3")], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`epoch` of a.toml") && error.contains("`epochs`"),
        "{error}"
    );
    assert!(
        Part::parse("epochs = ", "a.toml")
            .unwrap_err()
            .to_string()
            .contains("a.toml is no TOML")
    );
    assert!(
        configure(None, &[], &[])
            .unwrap_err()
            .to_string()
            .contains("lenet5, capsnet")
    );
}

#[test]
fn presets_are_trainings() {
    for preset in &PRESETS {
        // Its images are those of the data, which have to be large.
        let size = match preset.name {
            "large" => ["model.image.height=224", "model.image.width=224"].as_slice(),
            _ => &[],
        };
        let size: Vec<Setting> = size.iter().map(|setting| setting.parse().unwrap()).collect();
        let config = configure(None, &[preset.part()], &size).unwrap();
        config.validate().unwrap();
        assert!(
            preset.about().len() > 20 && preset.text.contains("What to expect"),
            "{}",
            preset.name
        );
    }
    let tutorial = configure(None, &[Preset::named("tutorial").unwrap().part()], &[]).unwrap();
    assert_eq!(tutorial.model, set_all("capsnet", &["variant=tutorial"]).unwrap().model);
}

/// What is not a number, or has no end, is no value of anything that a training is set by.
#[test]
fn no_number_may_be_nan_or_infinite() {
    for model in ModelConfig::all() {
        let config = configure(Some(model.name()), &[], &[]).unwrap();
        let table = table(&config).unwrap();
        let floats = flatten(&table).into_iter().filter(|(_, value)| value.is_float());
        let keys: Vec<String> = floats.map(|(key, _)| key).collect();
        assert!(keys.contains(&"adam.epsilon".to_owned()), "{keys:?}");
        for key in keys {
            for value in ["nan", "inf", "-inf"] {
                let setting = format!("{key}={value}").parse().unwrap();
                let config = configure(Some(model.name()), &[], &[setting]);
                assert!(
                    !config.is_ok_and(|config| config.validate().is_ok()),
                    "{key} = {value} of {}",
                    model.name()
                );
            }
        }
    }
}
