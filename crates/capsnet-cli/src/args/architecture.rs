//! Flags that change a model's architecture before it is trained.

use clap::Args;

use super::value::positive;

/// What is changed of a model's architecture.
#[derive(Args, Debug, Clone, Default)]
pub struct ArchitectureArgs {
    /// Scale all widths of the CNN until it has about so many parameters [default: as many as CapsNet, 8,215,568]
    #[arg(long, value_name = "N", value_parser = parameters, conflicts_with_all = ["channels", "hidden"])]
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
