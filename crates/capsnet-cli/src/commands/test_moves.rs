//! `capsnet test transforming-autoencoder`: how well poses follow known moves.

use std::path::Path;

use anyhow::{Result, bail};
use burn::prelude::Device;
use capsnet::look::recover;
use capsnet::model::{Architecture, Classifier, Model, TransformingAutoencoder};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::look::RecoveryTest;
use capsnet_report::draw;
use capsnet_report::tested::recovery_text;

use crate::args::TestArgs;
use crate::output::{line, note, place};

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
    let tested = RecoveryTest {
        model: model.config.name().to_owned(),
        weights: weights.display().to_string(),
        parameters: model.parameters(),
        seed: args.seed,
        recovery,
        title: model.config.title().to_owned(),
    };
    line(match args.json {
        true => serde_json::to_string(&tested)?,
        false => recovery_text(&tested)?,
    })
}
