//! The command line: its commands, and flags that several of them share; a command's own flags stand beside it.

mod models;
mod settings;
mod shared;
mod test;
pub(crate) mod value;

use clap::{Parser, Subcommand};

use crate::commands::compare::{COMPARE_EXAMPLES, CompareArgs};
use crate::commands::draw::{DRAW_EXAMPLES, DrawArgs};
use crate::commands::equivariance::{EQUIVARIANCE_EXAMPLES, EquivarianceArgs};
use crate::commands::route::{ROUTE_EXAMPLES, RouteArgs};
use crate::commands::sweep::{SWEEP_EXAMPLES, SweepArgs};
use crate::commands::{
    bench, completions, convert, data, fetch, info, lab, man, predict, protocols, runs, study, train,
};
pub(crate) use models::ModelsArgs;
pub(crate) use settings::{GROUP as SETTINGS, SettingFlags};
pub(crate) use shared::{ComputeArgs, DataArgs, Variant, WeightsArgs, model};
use test::TEST_EXAMPLES;
pub(crate) use test::TestArgs;
pub(crate) use value::{angle, positive, score};

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
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten, next_help_heading = "Options of compare")]
    compare: CompareArgs,
}

impl Cli {
    /// The command, which is `compare` unless another is named.
    pub(crate) fn chosen(self) -> Command {
        self.command.unwrap_or_else(|| Command::Compare(Box::new(self.compare)))
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show LeNet-5 and CapsNet side by side on upright and rotated digits, as a table and as pictures
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(Box<CompareArgs>),
    /// Train a model, or resume a training that was stopped
    #[command(after_help = train::EXAMPLES)]
    Train(train::TrainArgs),
    /// List the training runs in a folder, best first, and lay their curves over each other
    #[command(after_help = runs::EXAMPLES)]
    Runs(runs::RunsArgs),
    /// Measure a model's accuracy on the test images, upright or transformed
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
    /// Measure how every layer of the models answers to rotations: equivariant, invariant, or neither
    #[command(after_help = EQUIVARIANCE_EXAMPLES)]
    Equivariance(EquivarianceArgs),
    /// Run a declared study: variants of models, trained and tested with several seeds, in one table
    #[command(after_help = study::EXAMPLES)]
    Study(study::StudyArgs),
    /// Measure models along families of transforms, and write the curves as one HTML report, pictures and tables
    #[command(after_help = SWEEP_EXAMPLES)]
    Sweep(Box<SweepArgs>),
    /// Say which class an image file shows
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::PredictArgs),
    /// Turn a PyTorch state dict or a safetensors file into safetensors that capsnet and PyTorch load, or into ONNX
    #[command(after_help = convert::EXAMPLES)]
    Convert(convert::ConvertArgs),
    /// Say what a weights file holds: model, configuration, parameters, tensors
    #[command(after_help = info::EXAMPLES)]
    Info(info::InfoArgs),
    /// Route the votes of a file by any algorithm, to check another implementation against
    #[command(after_help = ROUTE_EXAMPLES)]
    Route(RouteArgs),
    /// Say what is in a data set: classes, numbers and sizes of images, with examples and mean images as pictures
    #[command(after_help = data::EXAMPLES)]
    Data(data::DataSetArgs),
    /// List the protocols of the field that `train` and `test` follow, with their sources
    #[command(after_help = protocols::EXAMPLES)]
    Protocols(protocols::ProtocolsArgs),
    /// Download a data set, or CapsNet's weights, into the user's cache
    #[command(after_help = fetch::EXAMPLES)]
    Fetch(fetch::FetchArgs),
    /// Draw what capsules do: reconstructions, perturbations, angles, couplings, crowding, and a toy that explains
    /// routing
    #[command(after_help = DRAW_EXAMPLES)]
    Draw(DrawArgs),
    /// Time the program on this machine
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::BenchArgs),
    /// Open a page in the browser: draw and turn a digit, look into capsules, watch trainings
    #[command(after_help = lab::EXAMPLES)]
    Lab(lab::LabArgs),
    /// Print what lets a shell complete commands and flags
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Write manual pages, one a command
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArgs),
}
