//! Grammars of trainings and studies: settings, configurations, declarations, names.

use std::path::PathBuf;

use arbitrary::{Result, Unstructured};
use capsnet::model::{Architecture, ModelConfig};
use capsnet::predict::Preparation;
use capsnet::protocol;
use capsnet::routing::Routing;
use capsnet::settings::{Part, Setting, configure};
use capsnet::study::{Declaration, Machine, Plan};
use capsnet::train::Schedule;

use crate::plain::craft;

/// `KEY=VALUE`, a setting a line, for the model that the first byte chooses.
pub(crate) fn settings(bytes: &[u8]) {
    let (model, bytes) = craft::choice(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(settings) = text
        .lines()
        .map(str::parse)
        .collect::<std::result::Result<Vec<Setting>, _>>()
    else {
        return;
    };
    let models = ModelConfig::all();
    let model = models[usize::from(model) % models.len()].name();
    if let Ok(config) = configure(Some(model), &[], &settings)
        && config.validate().is_ok()
    {
        let text = toml::to_string(&config).expect("a sound configuration can be written");
        let part = Part::parse(&text, "again").expect("it was written as TOML");
        assert_eq!(part.whole().expect("it is whole"), config, "{text}");
    }
}

/// A configuration as a file.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(part) = Part::parse(text, "fuzz") else { return };
    if let Some(config) = part.whole() {
        let _ = config.validate();
    }
    if let Ok(config) = configure(None, &[part], &[]) {
        let _ = config.validate();
    }
}

/// Keys and values that a configuration has, in an order and with values that it hasn't.
pub(crate) fn keys(bytes: &[u8]) {
    let mut draw = Unstructured::new(bytes);
    let mut text = String::new();
    while let (false, Ok((key, value))) = (draw.is_empty(), pair(&mut draw)) {
        text += &format!("{key}={value}\n");
    }
    for model in 0..ModelConfig::all().len() as u8 {
        settings(&[&[model], text.as_bytes()].concat());
    }
}

fn pair(draw: &mut Unstructured) -> Result<(&'static str, String)> {
    let key = *draw.choose(&[
        "epochs",
        "batch_size",
        "batch-size",
        "learning_rate",
        "schedule",
        "augment",
        "seed",
        "limit",
        "validation",
        "held_out",
        "image",
        "patience",
        "threads",
        "checkpoint_seconds",
        "adam.beta1",
        "adam.epsilon",
        "protocol",
        "model.routing",
        "model.classes",
        "model.image",
        "model.normalize",
        "model.hidden",
        "routing",
        "parameters",
        "classes",
        "normalize",
        "primary-maps",
        "conv-channels",
        "reconstruction",
        "data",
    ])?;
    let value = match draw.int_in_range(0..=4)? {
        0 => draw.arbitrary::<i64>()?.to_string(),
        1 => draw.int_in_range(0..=300u16)?.to_string(),
        2 => draw.arbitrary::<f64>()?.to_string(),
        3 => format!(
            "[{}, {}, {}]",
            draw.int_in_range(0..=3u8)?,
            draw.arbitrary::<i16>()?,
            draw.int_in_range(0..=64u8)?
        ),
        _ => (*draw.choose(&[
            "none",
            "true",
            "dynamic:3",
            "em:2",
            "dynamic:0",
            "dynamic:99999999999",
            "rotate=-5..5",
            "constant",
            "exponential:0.9:1e-3",
            "exponential:2",
            "0.5:0.5",
            "nan",
            "inf",
            "\"\"",
            "'''",
            "affnist",
            "tutorial",
            "multimnist",
            "{}",
            "[[]]",
            "1e400",
            "-0",
        ])?)
        .to_owned(),
    };
    Ok((key, value))
}

/// A study, read and planned.
pub(crate) fn study(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(declaration) = Declaration::parse(text) else {
        return;
    };
    let machine = Machine {
        data: PathBuf::from("digits"),
        threads: 1,
        images: None,
    };
    if let Ok(plan) = Plan::new(&declaration, &machine) {
        let _ = plan.runs();
    }
}

/// Names: of routing, schedules, protocols.
pub(crate) fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(routing) = text.parse::<Routing>() {
        let again: Routing = routing.to_string().parse().expect("what is written can be read");
        assert_eq!(again.to_string(), routing.to_string());
    }
    if let Ok(schedule) = text.parse::<Schedule>() {
        assert_eq!(
            schedule
                .to_string()
                .parse::<Schedule>()
                .expect("what is written can be read"),
            schedule
        );
        assert!(schedule.learning_rate(1e-3, 3, 10, 1).is_finite());
    }
    let _ = protocol::by_name(text);
    let _ = text.parse::<Preparation>();
}
