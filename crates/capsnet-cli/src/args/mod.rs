//! The command line: every flag, its help and its examples; one file a command.

mod bench;
mod files;
mod models;
mod predict;
mod protocols;
mod settings;
mod shared;
mod test;
pub mod value;

use clap::{Parser, Subcommand};

use crate::commands::compare::{COMPARE_EXAMPLES, CompareArgs};
use crate::commands::draw::{DRAW_EXAMPLES, DrawArgs};
use crate::commands::equivariance::{EQUIVARIANCE_EXAMPLES, EquivarianceArgs};
use crate::commands::route::{ROUTE_EXAMPLES, RouteArgs};
use crate::commands::sweep::{SWEEP_EXAMPLES, SweepArgs};
use bench::BENCH_EXAMPLES;
pub use bench::{BenchArgs, BenchCommand, BenchStepArgs, StepMode};
use files::{CONVERT_EXAMPLES, FETCH_EXAMPLES, INFO_EXAMPLES};
pub use files::{ConvertArgs, FetchArgs, InfoArgs};
pub use models::ModelsArgs;
use predict::PREDICT_EXAMPLES;
pub use predict::PredictArgs;
use protocols::PROTOCOLS_EXAMPLES;
pub use protocols::ProtocolsArgs;
pub use settings::{GROUP as SETTINGS, SettingFlags};
pub use shared::{ComputeArgs, DataArgs, Variant, WeightsArgs, model};
use test::TEST_EXAMPLES;
pub use test::TestArgs;
pub use value::{angle, positive};

/// Capsule networks beside a plain convolutional network: train them, test them on rotated digits, look at what they
/// see.
///
/// Without a command it compares the weights that come with it, on upright and on rotated test digits: `capsnet --limit
/// 1000` is `capsnet compare --limit 1000`.
#[derive(Parser, Debug)]
#[command(
    name = "capsnet",
    version,
    max_term_width = 110,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten, next_help_heading = "Options of compare")]
    compare: CompareArgs,
}

impl Cli {
    /// The command, which is `compare` unless another is named.
    pub fn chosen(self) -> Command {
        self.command.unwrap_or_else(|| Command::Compare(Box::new(self.compare)))
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show LeNet-5 and CapsNet side by side on upright and rotated digits, as a table and as pictures
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(Box<CompareArgs>),
    /// Train a model, or resume a training that was stopped
    #[command(after_help = crate::commands::train::EXAMPLES)]
    Train(crate::commands::train::TrainArgs),
    /// Measure a model's accuracy on the test images, upright or transformed
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
    /// Measure how every layer of the models answers to rotations: equivariant, invariant, or neither
    #[command(after_help = EQUIVARIANCE_EXAMPLES)]
    Equivariance(EquivarianceArgs),
    /// Run a declared study: variants of models, trained and tested with several seeds, in one table
    #[command(after_help = crate::commands::study::EXAMPLES)]
    Study(crate::commands::study::StudyArgs),
    /// Measure models along families of transforms, and write the curves as one HTML report, pictures and tables
    #[command(after_help = SWEEP_EXAMPLES)]
    Sweep(Box<SweepArgs>),
    /// Say which class an image file shows
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(PredictArgs),
    /// Turn a PyTorch state dict or a safetensors file into safetensors that both capsnet and PyTorch load
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert(ConvertArgs),
    /// Say what a weights file holds: model, configuration, parameters, tensors
    #[command(after_help = INFO_EXAMPLES)]
    Info(InfoArgs),
    /// Route the votes of a file by any algorithm, to check another implementation against
    #[command(after_help = ROUTE_EXAMPLES)]
    Route(RouteArgs),
    /// List the protocols of the field that `train` and `test` follow, with their sources
    #[command(after_help = PROTOCOLS_EXAMPLES)]
    Protocols(ProtocolsArgs),
    /// Download a data set into the user's cache
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchArgs),
    /// Draw what capsules do: reconstructions, perturbations, angles, couplings, crowding, and a toy that explains
    /// routing
    #[command(after_help = DRAW_EXAMPLES)]
    Draw(DrawArgs),
    /// Time the program on this machine
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
}
