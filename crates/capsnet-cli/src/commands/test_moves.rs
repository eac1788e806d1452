//! `capsnet test transforming-autoencoder`: how well poses follow known moves.

use std::path::Path;

use anyhow::{Result, bail};
use burn::prelude::Device;
use capsnet::look::recover;
use capsnet::model::{Architecture, Classifier, Model, TransformingAutoencoder};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::look::Recovery;
use capsnet_report::draw;
use capsnet_report::tested::recovery_text;
use serde::Serialize;

use crate::args::TestArgs;
use crate::output::{line, note, place};

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    weights: String,
    parameters: usize,
    seed: u64,
    #[serde(flatten)]
    recovery: &'a Recovery,
}

pub(super) fn run(
    args: &TestArgs,
    model: &Model,
    network: &TransformingAutoencoder,
    weights: &Path,
    data: &Dataset,
    device: &Device,
) -> Result<()> {
    if args.protocol.is_some() || args.rotate.is_some() || args.transform.is_some() {
        bail!(
            "{} is tested by moves of its own: leave --protocol, --rotate and --transform out",
            model.config.name()
        );
    }
    let recovery = recover(network, model.input(), data, Seed(args.seed), device)?;
    if let Some(folder) = &args.out {
        place(folder)?;
        let path = folder.join(format!("recovery-{}.png", model.config.name()));
        draw::recovery(&recovery)?.sheet.save_png(&path)?;
        note(format_args!("wrote {}", path.display()));
    }
    if args.json {
        let report = Report {
            model: model.config.name(),
            weights: weights.display().to_string(),
            parameters: model.parameters(),
            seed: args.seed,
            recovery: &recovery,
        };
        return line(serde_json::to_string(&report)?);
    }
    let (parameters, weights) = (model.parameters(), weights.display().to_string());
    line(recovery_text(&recovery, model.config.title(), parameters, &weights)?)
}
