//! Flags of `capsnet protocols`.

use clap::Args;

pub const PROTOCOLS_EXAMPLES: &str = "Examples:
  capsnet protocols
  capsnet protocols --json";

#[derive(Args, Debug)]
pub struct ProtocolsArgs {
    /// Print one JSON list and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
