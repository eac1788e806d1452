//! `capsnet protocols`.

use anyhow::Result;
use capsnet::protocol::{ALL, Overview};
use clap::Args;

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

pub(crate) fn run(args: &ProtocolsArgs) -> Result<()> {
    let protocols = ALL.map(Overview::of);
    if args.json {
        return line(serde_json::to_string(&protocols)?);
    }
    line(protocols.map(|protocol| protocol.to_string()).join("\n\n"))
}
