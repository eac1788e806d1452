//! Flags that change a model's architecture before it is trained.

use capsnet::routing::{Couplings, Routing, forms};
use clap::Args;

use super::value::positive;

/// What is changed of a model's architecture.
#[derive(Args, Debug, Clone, Default)]
pub struct ArchitectureArgs {
    #[arg(long, value_name = "NAME", conflicts_with_all = ["couplings", "routing_iterations"],
        help = format!("How capsules' votes are routed: {} [default: dynamic:3]", forms()))]
    pub routing: Option<Routing>,
    /// Where CapsNet's couplings come from: agreement, uniform (the same as one iteration) or random:SEED [default: agreement]
    #[arg(long, value_name = "NAME")]
    pub couplings: Option<Couplings>,
    /// Share CapsNet's vote matrices among all positions of a map of primary capsules: 32 instead of 1152
    #[arg(long)]
    pub share_votes: bool,
    /// Train CapsNet without a decoder and its reconstruction loss
    #[arg(long)]
    pub no_reconstruction: bool,
    /// Side of the convolutions' kernels [default: 9 for CapsNet, 5 for the CNN]
    #[arg(long, value_name = "PIXELS", value_parser = positive)]
    pub kernel: Option<usize>,
    /// Channels of CapsNet's first convolution [default: 256]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub conv_channels: Option<usize>,
    /// Primary capsules of CapsNet at each position [default: 32]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub primary_maps: Option<usize>,
    /// Scale all widths of the CNN until it has about so many parameters [default: as many as CapsNet, 8,215,568]
    #[arg(long, value_name = "N", value_parser = parameters, conflicts_with_all = ["channels", "hidden", "kernel"])]
    pub parameters: Option<usize>,
    /// Channels of the CNN's convolutions, the second of which has a stride of two
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = positive)]
    pub channels: Vec<usize>,
    /// Widths of the CNN's hidden linear layers
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = positive)]
    pub hidden: Vec<usize>,
}

fn parameters(text: &str) -> Result<usize, String> {
    match positive(text)? {
        number if number <= 1_000_000_000 => Ok(number),
        _ => Err("at most 1,000,000,000 parameters are possible".to_owned()),
    }
}
