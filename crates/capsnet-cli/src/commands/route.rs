//! `capsnet route`: the votes of a file by any routing algorithm.

use std::path::PathBuf;

use anyhow::{Context, Result};
use capsnet::routing::{Routing, forms, route_votes_file};
use capsnet::weights;
use capsnet_weights::FloatDtype;
use clap::Args;

use crate::output::{expect_free_around, line, note};

pub(crate) const ROUTE_EXAMPLES: &str = "Examples:
  capsnet route votes.safetensors --algorithm dynamic:3
  capsnet route votes.safetensors --algorithm em:2 --out routed.safetensors
  capsnet route votes.safetensors --algorithm self-attention --json

The file holds u_hat [B,J,I,D]: of B samples, the votes for J upper capsules by I lower ones, of D dimensions. em also
needs activation [B,I], and takes beta_u [J] and beta_a [J] (0 if left out); self-attention takes bias [J,I] (0);
inverted-attention takes norm.weight [D] (1) and norm.bias [D] (0); self-routing needs activation and the lower capsules
u [B,I,E], and takes routing.weight [I*J,E] (0) and routing.bias [I,J] (0). The result has v [B,J,D], activation [B,J],
and couplings.0, couplings.1, .. [B,J,I], one an iteration.";

#[derive(Args, Debug)]
pub(crate) struct RouteArgs {
    /// The votes, safetensors or a PyTorch state dict
    #[arg(value_name = "VOTES")]
    pub votes: PathBuf,
    #[arg(long, value_name = "NAME", help = format!("How they are routed: {}", forms()))]
    pub algorithm: Routing,
    /// Write the result as safetensors
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the result as one JSON object of nested lists and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: &RouteArgs) -> Result<()> {
    let file = capsnet_weights::read(&args.votes)?;
    let routed = route_votes_file(&file, &args.algorithm).with_context(|| args.votes.display().to_string())?;
    if !routed.unused.is_empty() {
        let names = routed.unused.join(", ");
        note(format_args!("{} has no use for {names}", args.algorithm));
    }
    if let Some(path) = &args.out {
        expect_free_around(path)?;
        weights::write(path, &routed.tensors, &[], FloatDtype::F32)?;
    }
    if args.json {
        return line(routed.to_json());
    }
    line(routed.summary())?;
    match &args.out {
        Some(path) => line(format_args!("wrote {}", path.display())),
        None => Ok(()),
    }
}
