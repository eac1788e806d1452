//! The flags that stand for keys: one table from a flag's name to what it sets.
//!
//! A flag is a short name for a key of `config.toml`, or for several keys that only make sense together. The program
//! makes its command line out of this table, and a study's file may use the names too.

use std::num::IntErrorKind;

use capsnet_data::transform::Augment;
use serde::Serialize;
use toml::{Table, Value};

use super::key::{Change, flatten, get, table};
use crate::model::{Architecture, CapsNetConfig, ModelConfig};
use crate::protocol::Protocol;
use crate::routing::{Couplings, Routing, RoutingError, forms};
use crate::train::Schedule;

/// A flag and what it sets.
pub struct Flag {
    /// Without the hyphens in front: `batch-size`.
    pub name: &'static str,
    /// The key that it sets, dotted.
    pub key: &'static str,
    /// What its value is called in the help; empty for a flag that stands alone.
    pub value_name: &'static str,
    /// What it is good for.
    about: &'static str,
    /// What is to be said behind it that depends on lists which may grow.
    more: Option<fn() -> String>,
    /// Whether and how it takes several values.
    pub several: Several,
    /// Names of flags that it leaves no say.
    pub rules_out: &'static [&'static str],
    /// Checks one value and brings it into the form of the configuration.
    read: fn(&Value) -> Result<Value, String>,
    /// What is set, given the key, the value and the configuration as it is.
    changes: fn(&str, Value, &Table) -> Result<Vec<Change>, String>,
}

/// How several values are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Several {
    /// There is only one.
    No,
    /// By giving the flag several times.
    Repeated,
    /// With commas between them.
    Commas,
}

impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{}", self.name)
    }
}

impl Flag {
    /// The flag of this name, with hyphens or with underscores.
    pub fn named(name: &str) -> Option<&'static Flag> {
        let same = |flag: &&Flag| flag.name == name || flag.name.replace('-', "_") == name;
        TRAINING.iter().find(same)
    }

    /// Whether it stands alone, without a value.
    pub fn is_switch(&self) -> bool {
        self.value_name.is_empty()
    }

    /// Whether it sets a key of the model; the others are of its training.
    pub fn is_of_model(&self) -> bool {
        self.key.starts_with("model.")
    }

    /// What it is good for, in full.
    pub fn help(&self) -> String {
        match self.more {
            Some(more) => format!("{}: {}", self.about, more()),
            None => self.about.to_owned(),
        }
    }

    /// One value in the form of the configuration.
    ///
    /// # Errors
    ///
    /// Says what is needed.
    pub fn read(&self, value: &Value) -> Result<Value, String> {
        (self.read)(value)
    }

    /// What the flag changes with this value, the key that it is about first; a `no-..` that is off changes nothing.
    ///
    /// # Errors
    ///
    /// Says what is needed.
    pub(super) fn changes(&self, value: &Value, config: &Table) -> Result<Vec<Change>, String> {
        let value = match value {
            Value::Array(values) if self.several != Several::No => {
                Value::Array(values.iter().map(|value| self.read(value)).collect::<Result<_, _>>()?)
            }
            value if self.several != Several::No => Value::Array(vec![self.read(value)?]),
            value => self.read(value)?,
        };
        (self.changes)(self.key, value, config)
    }
}

const PLAIN: Flag = Flag {
    name: "",
    key: "",
    value_name: "N",
    about: "",
    more: None,
    several: Several::No,
    rules_out: &[],
    read: positive,
    changes: one,
};

/// The flags of training.
pub static TRAINING: [Flag; 26] = [
    Flag {
        name: "protocol",
        key: "protocol",
        value_name: "NAME",
        about: "Train by a protocol of the field: its images, their size and its transform; `capsnet protocols` lists \
               them",
        read: parsed::<&'static dyn Protocol>,
        ..PLAIN
    },
    Flag {
        name: "epochs",
        key: "epochs",
        about: "Passes over the training images [default: 3]",
        ..PLAIN
    },
    Flag {
        name: "batch-size",
        key: "batch_size",
        about: "Images a step, unless said otherwise",
        more: Some(|| of_each_model(|model| model.usual_training().batch_size)),
        ..PLAIN
    },
    Flag {
        name: "learning-rate",
        key: "learning_rate",
        value_name: "X",
        about: "Learning rate to start from, unless said otherwise",
        more: Some(|| of_each_model(|model| format!("{:e}", model.usual_training().learning_rate))),
        read: positive_float,
        ..PLAIN
    },
    Flag {
        name: "schedule",
        key: "schedule",
        value_name: "NAME",
        about: "Learning-rate schedule: constant, exponential:FACTOR or exponential:FACTOR:FLOOR (an epoch), capsnet \
               (the official one), cosine; unless said otherwise",
        more: Some(|| of_each_model(|model| model.usual_training().schedule)),
        read: parsed::<Schedule>,
        ..PLAIN
    },
    Flag {
        name: "augment",
        key: "augment",
        value_name: "SPEC",
        about: "What is done to each training image, for example 'translate=2,rotate=-15..15'; of several (or of parts \
               between bars) every image draws one [default: translate=2, or the protocol's]",
        several: Several::Repeated,
        read: parsed::<Augment>,
        changes: between_bars,
        ..PLAIN
    },
    Flag {
        name: "seed",
        key: "seed",
        about: "Seed of weights, order and augmentation [default: 1]",
        read: whole,
        ..PLAIN
    },
    Flag {
        name: "validation",
        key: "validation",
        about: "Keep so many training images out, in equal shares by class, and choose the best weights by them \
               [default: 2000]",
        read: whole,
        ..PLAIN
    },
    Flag {
        name: "classes",
        key: "model.classes",
        about: "Classes that the model tells apart [default: as many as the data set has]",
        ..PLAIN
    },
    Flag {
        name: "patience",
        key: "patience",
        value_name: "EPOCHS",
        about: "Stop early when the validation loss has not improved for so many epochs",
        ..PLAIN
    },
    Flag {
        name: "average",
        key: "average",
        value_name: "DECAY",
        about: "Average the weights over the steps, 0.999, say; the averaged ones are validated and saved",
        read: positive_float,
        ..PLAIN
    },
    Flag {
        name: "micro-batches",
        key: "micro_batches",
        about: "Compute each batch in so many parts, a power of two, which mpirun's ranks can share: weights depend on \
               this number, not on that of the ranks [default: 1; over MPI 4, or the number of ranks]",
        ..PLAIN
    },
    Flag {
        name: "checkpoint-every",
        key: "checkpoint_seconds",
        value_name: "SECONDS",
        about: "Seconds between checkpoints within an epoch [default: 60]",
        read: whole,
        ..PLAIN
    },
    Flag {
        name: "record-every",
        key: "record_steps",
        value_name: "STEPS",
        about: "Steps between those noted for curves in the run's record/; 0 records neither steps nor epochs \
               [default: a hundredth of an epoch, at least 5]",
        read: whole,
        ..PLAIN
    },
    Flag {
        name: "variant",
        key: "model.softmaxed_lengths",
        value_name: "NAME",
        about: "Which CapsNet: paper, or tutorial (softmax over the inputs, softmaxed lengths, batch norm on the \
               input) [default: paper]",
        read: variant,
        changes: of_variant,
        ..PLAIN
    },
    Flag {
        name: "routing",
        key: "model.routing",
        value_name: "NAME",
        about: "How capsules' votes are routed [default: dynamic:3]",
        more: Some(forms),
        rules_out: &["couplings", "routing-iterations"],
        read: routing,
        ..PLAIN
    },
    Flag {
        name: "routing-iterations",
        key: "model.routing.iterations",
        about: "Iterations of dynamic routing; 0 and 1 both mean equal couplings [default: 3]",
        read: iterations,
        changes: of_routing,
        ..PLAIN
    },
    Flag {
        name: "couplings",
        key: "model.routing.couplings",
        value_name: "NAME",
        about: "Where couplings come from: agreement, uniform (the same as one iteration) or random:SEED [default: \
               agreement]",
        read: parsed::<Couplings>,
        changes: of_dynamic_routing,
        ..PLAIN
    },
    Flag {
        name: "share-votes",
        key: "model.share_votes",
        value_name: "",
        about: "Share CapsNet's vote matrices among all positions of a map of primary capsules: 32 instead of 1152",
        read: switch,
        ..PLAIN
    },
    Flag {
        name: "no-reconstruction",
        key: "model.decoder",
        value_name: "",
        about: "Train CapsNet without a decoder and its reconstruction loss",
        read: switch,
        changes: left_out,
        ..PLAIN
    },
    Flag {
        name: "kernel",
        key: "model.kernel",
        value_name: "PIXELS",
        about: "Side of the convolutions' kernels [default: 9 for CapsNet, 5 for the CNN]",
        ..PLAIN
    },
    Flag {
        name: "conv-channels",
        key: "model.conv_channels",
        about: "Channels of CapsNet's first convolution [default: 256]",
        ..PLAIN
    },
    Flag {
        name: "primary-maps",
        key: "model.primary_maps",
        about: "Primary capsules of CapsNet at each position [default: 32]",
        ..PLAIN
    },
    Flag {
        name: "parameters",
        key: "model.parameters",
        about: "Scale all widths of the CNN until it has about so many parameters [default: as many as CapsNet, \
               8,215,568]",
        rules_out: &["channels", "hidden", "kernel"],
        read: parameters,
        changes: sized,
        ..PLAIN
    },
    Flag {
        name: "channels",
        key: "model.channels",
        value_name: "A,B,..",
        about: "Channels of the CNN's convolutions, the second of which has a stride of two",
        several: Several::Commas,
        changes: with_usual_strides,
        ..PLAIN
    },
    Flag {
        name: "hidden",
        key: "model.hidden",
        value_name: "A,B,..",
        about: "Widths of the CNN's hidden linear layers, or of the MLP's only one",
        several: Several::Commas,
        changes: widths,
        ..PLAIN
    },
];

fn one(key: &str, value: Value, _: &Table) -> Result<Vec<Change>, String> {
    Ok(vec![Change::to(key, value)])
}

fn left_out(key: &str, value: Value, _: &Table) -> Result<Vec<Change>, String> {
    let changes = (value == Value::Boolean(true)).then(|| Change::without(key));
    Ok(changes.into_iter().collect())
}

fn between_bars(key: &str, value: Value, config: &Table) -> Result<Vec<Change>, String> {
    let values = value.as_array().into_iter().flatten();
    let parts: Vec<&str> = values.filter_map(Value::as_str).collect();
    one(key, parts.join(" | ").into(), config)
}

/// All widths follow from the number of parameters.
fn sized(key: &str, value: Value, _: &Table) -> Result<Vec<Change>, String> {
    let sizes = ["channels", "strides", "kernel", "hidden"].map(|size| Change::without(format!("model.{size}")));
    Ok([Change::to(key, value)].into_iter().chain(sizes).collect())
}

fn with_usual_strides(key: &str, value: Value, _: &Table) -> Result<Vec<Change>, String> {
    Ok(vec![Change::to(key, value), Change::without("model.strides")])
}

/// A list of widths, or the only one of a model that has one.
fn widths(key: &str, value: Value, config: &Table) -> Result<Vec<Change>, String> {
    match (get(config, key), value.as_array().map(Vec::as_slice)) {
        (Some(Value::Integer(_)), Some([only])) => one(key, only.clone(), config),
        _ => one(key, value, config),
    }
}

/// Iterations are a key of dynamic routing; other algorithms have them in their text form.
fn of_routing(key: &str, value: Value, config: &Table) -> Result<Vec<Change>, String> {
    let (Some(Value::String(routing)), Some(iterations)) = (get(config, "model.routing"), value.as_integer()) else {
        return one(key, value, config);
    };
    let routing: Result<Routing, RoutingError> = routing.parse();
    let routing = routing.and_then(|routing| routing.with_iterations(iterations as usize));
    let routing = routing.map_err(|error| error.to_string())?;
    one("model.routing", routing.to_string().into(), config)
}

/// Couplings replace those of dynamic routing.
fn of_dynamic_routing(key: &str, value: Value, config: &Table) -> Result<Vec<Change>, String> {
    if let Some(Value::String(routing)) = get(config, "model.routing") {
        let routing: Result<Routing, RoutingError> = routing.parse();
        let routing = routing.and_then(|routing| routing.with_couplings(Couplings::Uniform));
        routing.map_err(|error| error.to_string())?;
    }
    one(key, value, config)
}

/// Everything in which the two variants differ, and nothing else.
fn of_variant(key: &str, value: Value, _: &Table) -> Result<Vec<Change>, String> {
    let [paper, tutorial] = [CapsNetConfig::paper(), CapsNetConfig::tutorial()].map(|config| table(&config));
    let (paper, tutorial) = (paper?, tutorial?);
    let chosen = if value.as_str() == Some("tutorial") {
        &tutorial
    } else {
        &paper
    };
    let differing = flatten(chosen)
        .into_iter()
        .filter(|(key, _)| get(&paper, key) != get(&tutorial, key))
        .map(|(key, value)| Change::to(format!("model.{key}"), value.clone()));
    let (about, others): (Vec<Change>, Vec<Change>) = differing.partition(|change| change.key == key);
    Ok([about, others].concat())
}

/// The default of a setting that every model has its own of: "8 for lenet5, 128 for capsnet and cnn".
pub fn of_each_model<T: PartialEq + ToString>(setting: impl Fn(&ModelConfig) -> T) -> String {
    let mut groups: Vec<(T, Vec<&str>)> = Vec::new();
    for model in ModelConfig::all() {
        let value = setting(&model);
        match groups.iter_mut().find(|(of, _)| *of == value) {
            Some((_, names)) => names.push(model.name()),
            None => groups.push((value, vec![model.name()])),
        }
    }
    let group = |(value, names): &(T, Vec<&str>)| format!("{} for {}", value.to_string(), super::listed(names));
    groups.iter().map(group).collect::<Vec<_>>().join(", ")
}

/// As on a command line.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value that has a text form, as serde writes it.
fn parsed<T>(value: &Value) -> Result<Value, String>
where
    T: std::str::FromStr<Err: std::fmt::Display> + Serialize,
{
    let parsed: T = text(value).parse().map_err(|error: T::Err| error.to_string())?;
    Value::try_from(parsed).map_err(|error| error.to_string())
}

/// As text, whatever form serde would write.
fn routing(value: &Value) -> Result<Value, String> {
    let routing: Routing = text(value).parse().map_err(|error: RoutingError| error.to_string())?;
    Ok(routing.to_string().into())
}

fn number_from(value: &Value, least: i64, needed: &str) -> Result<Value, String> {
    match text(value).parse::<i64>() {
        Ok(number) if number >= least => Ok(Value::Integer(number)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err(format!("{needed}; this one is too large")),
        _ => Err(needed.to_owned()),
    }
}

fn positive(value: &Value) -> Result<Value, String> {
    number_from(value, 1, "a whole number of at least 1 is needed")
}

fn whole(value: &Value) -> Result<Value, String> {
    number_from(value, 0, "a whole number from 0 to 9223372036854775807 is needed")
}

fn iterations(value: &Value) -> Result<Value, String> {
    let needed = "a whole number from 0 to 100 is needed";
    match number_from(value, 0, needed)? {
        Value::Integer(101..) => Err(needed.to_owned()),
        number => Ok(number),
    }
}

fn parameters(value: &Value) -> Result<Value, String> {
    match positive(value)? {
        Value::Integer(1_000_000_001..) => Err("at most 1,000,000,000 parameters are possible".to_owned()),
        number => Ok(number),
    }
}

fn positive_float(value: &Value) -> Result<Value, String> {
    match text(value).parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(Value::Float(number)),
        _ => Err("a positive number is needed, for example 1e-3".to_owned()),
    }
}

fn switch(value: &Value) -> Result<Value, String> {
    match text(value).as_str() {
        "true" => Ok(Value::Boolean(true)),
        "false" => Ok(Value::Boolean(false)),
        _ => Err("true or false is needed".to_owned()),
    }
}

fn variant(value: &Value) -> Result<Value, String> {
    match text(value).as_str() {
        name @ ("paper" | "tutorial") => Ok(name.into()),
        _ => Err("there are paper and tutorial".to_owned()),
    }
}
