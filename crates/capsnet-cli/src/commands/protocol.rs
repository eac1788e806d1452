//! `capsnet test --protocol`: one file a protocol, and what they share.

mod affnist;
mod corruptions;
mod mnist_rot;
mod multimnist;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::model::{Architecture, Classifier, Model};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Protocol;
use capsnet_measure::Interval;
use capsnet_report::number::{count, percent};
use serde::Serialize;

use super::measure::confusion_matrix;
use crate::args::TestArgs;
use crate::output::line;
use crate::setting::UsageError;

/// Tests by the protocol that the flags name.
pub fn run(args: &TestArgs, protocol: Protocol) -> Result<()> {
    match protocol {
        Protocol::AffNist => affnist::run(args),
        Protocol::MultiMnist => multimnist::run(args),
        Protocol::MnistRot => mnist_rot::run(args),
        Protocol::Corruptions => corruptions::run(args),
        Protocol::Tutorial => unreachable!("a test of rotations"),
    }
}

/// Refuses the flags of one protocol beside another.
pub fn check_flags(args: &TestArgs) -> Result<()> {
    let refused = |flag: &str, of: &str| Err(UsageError(format!("{flag} is for --protocol {of}")).into());
    let protocol = args.protocol;
    if args.affnist_file.is_some() && protocol != Some(Protocol::AffNist) {
        return refused("--affnist-file", "affnist");
    }
    if args.variants.is_some() && !matches!(protocol, Some(Protocol::AffNist | Protocol::MultiMnist)) {
        return refused("--variants", "affnist and multimnist");
    }
    Ok(())
}

/// What every report on a protocol begins with.
#[derive(Serialize)]
struct Header {
    protocol: &'static str,
    source: String,
    caveat: Option<&'static str>,
    model: &'static str,
    #[serde(skip)]
    title: &'static str,
    weights: String,
    parameters: usize,
    dataset: String,
    seed: u64,
}

impl Header {
    fn print(&self) -> Result<()> {
        line(format_args!(
            "{} ({} parameters), weights {}",
            self.title,
            count(self.parameters as u64),
            self.weights
        ))?;
        line(format_args!("protocol {}: {}", self.protocol, self.source))?;
        if let Some(caveat) = self.caveat {
            line(format_args!("the images are {caveat}"))?;
        }
        line(format_args!("data {}, seed {}", self.dataset, self.seed))
    }
}

/// A model that is to be tested by a protocol.
struct Contestant {
    protocol: Protocol,
    model: Model,
    weights: PathBuf,
    device: Device,
}

impl Contestant {
    /// Reads the model; `side` is what the protocol's images measure.
    fn load(args: &TestArgs, protocol: Protocol, [height, width]: [usize; 2], device: Device) -> Result<Self> {
        let (model, weights) = args.weights.load(args.model.name(), &device)?;
        let image = model.input().image;
        if (image.height, image.width) != (height, width) {
            let name = args.model.name();
            let training = match protocol {
                Protocol::Corruptions => String::new(),
                _ => format!(" --protocol {protocol}"),
            };
            anyhow::bail!(
                "--protocol {protocol} has images of {height} x {width} pixels here, but the model in {} takes {} x {}; \
                 name another with --weights, trained by: capsnet train {name}{training}",
                weights.display(),
                image.height,
                image.width,
            );
        }
        Ok(Self {
            protocol,
            model: model.valid(),
            weights,
            device,
        })
    }

    fn header(&self, dataset: &str, seed: u64) -> Header {
        Header {
            protocol: self.protocol.name(),
            source: self.protocol.source().to_owned(),
            caveat: self.protocol.caveat(),
            model: self.model.config.name(),
            title: self.model.config.title(),
            weights: self.weights.display().to_string(),
            parameters: self.model.parameters(),
            dataset: dataset.to_owned(),
            seed,
        }
    }
}

/// The folder for pictures, made.
fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))
}

/// Draws a confusion matrix as `confusion-MODEL-PROTOCOL.png`.
fn draw_confusion(folder: &Path, contestant: &Contestant, data: &Dataset, confusion: &[Vec<u64>]) -> Result<()> {
    make_folder(folder)?;
    let (protocol, config) = (contestant.protocol, &contestant.model.config);
    let matrix = confusion_matrix(data, confusion)?;
    let path = folder.join(format!("confusion-{}-{protocol}.png", config.name()));
    let title = format!("{}, {protocol}, {}", config.title(), data.name());
    matrix.sheet(&title)?.save_png(&path)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// "79.12 % (78.31 to 79.90)".
fn with_interval(share: f64, interval: Interval) -> String {
    format!(
        "{} ({:.2} to {:.2})",
        percent(share, 2),
        100.0 * interval.low,
        100.0 * interval.high
    )
}
