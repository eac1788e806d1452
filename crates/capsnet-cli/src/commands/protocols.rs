//! `capsnet protocols`.

use anyhow::Result;
use capsnet::protocol::{self, Protocol};
use capsnet_data::transform::Pipeline;
use clap::Args;
use serde::Serialize;

use crate::output::line;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet protocols
  capsnet protocols --json";

#[derive(Args, Debug)]
pub(crate) struct ProtocolsArgs {
    /// Print one JSON list and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// A protocol, as `--json` prints it.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    source: &'static str,
    caveat: Option<&'static str>,
    /// Rows and columns of an image.
    side: usize,
    /// What training images are transformed with.
    training_transform: Option<Pipeline>,
    training: Option<&'static str>,
    test: &'static str,
}

impl Entry {
    fn new(protocol: &dyn Protocol) -> Self {
        let [side, _] = protocol.size([28, 28]);
        let about = protocol.about();
        Self {
            name: about.name,
            source: about.source,
            caveat: about.caveat,
            side,
            training_transform: protocol.training_transform(),
            training: about.training,
            test: about.testing,
        }
    }
}

pub(crate) fn run(args: &ProtocolsArgs) -> Result<()> {
    let entries = protocol::ALL.map(Entry::new);
    if args.json {
        return line(serde_json::to_string(&entries)?);
    }
    for (number, entry) in entries.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n" };
        line(format_args!("{gap}{}  ({1}x{1} pixels)", entry.name, entry.side))?;
        if let Some(training) = entry.training {
            let transform = entry.training_transform.as_ref().map(|spec| format!(" ({spec})"));
            line(format_args!("  training: {training}{}", transform.unwrap_or_default()))?;
        }
        line(format_args!("  test:     {}", entry.test))?;
        line(format_args!("  source:   {}", entry.source))?;
        if let Some(caveat) = entry.caveat {
            line(format_args!("  caveat:   {caveat}"))?;
        }
    }
    Ok(())
}
