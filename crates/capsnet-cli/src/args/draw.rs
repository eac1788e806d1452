//! Flags of `capsnet draw`.

use std::path::PathBuf;

use capsnet_data::protocol::Values;
use capsnet_data::transform::{Pipeline, Resample};
use clap::{Args, Subcommand};

use super::models::ModelsArgs;
use super::shared::{ComputeArgs, DataArgs, WeightsArgs};
use super::value::{angle, positive};

pub const DRAW_EXAMPLES: &str = "Examples:
  capsnet draw all
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw perturbations --class 5
  capsnet draw couplings --index 8 --rotate=35 --json";

const RECONSTRUCTIONS_EXAMPLES: &str = "Examples:
  capsnet draw reconstructions
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw reconstructions --index 0,7,8 --rotate=-35,0,35 --out pictures";

const PERTURBATIONS_EXAMPLES: &str = "Examples:
  capsnet draw perturbations
  capsnet draw perturbations --class 5 --out five.png
  capsnet draw perturbations --index 61 --rotate=20 --json";

const ANGLES_EXAMPLES: &str = "Examples:
  capsnet draw angles
  capsnet draw angles --index 0,2 --rotate=-180..180:30
  capsnet draw angles --class 4 --count 5 --models lenet5 --weights mine=runs/mine/best.safetensors";

const COUPLINGS_EXAMPLES: &str = "Examples:
  capsnet draw couplings
  capsnet draw couplings --index 8 --towards 5,6 --routing-iterations 5
  capsnet draw couplings --class 3 --rotate=35 --strongest 100 --json";

const CROWDING_EXAMPLES: &str = "Examples:
  capsnet draw crowding
  capsnet draw crowding --index 2,1 --distance 0..10:1
  capsnet draw crowding --weights runs/multimnist/best.safetensors";

const DOORWAY_EXAMPLES: &str = "Examples:
  capsnet draw doorway
  capsnet draw doorway --seed 7 --extra 2 --iterations 6 --out doorway.svg";

const ALL_EXAMPLES: &str = "Examples:
  capsnet draw all
  capsnet draw all --index 8 --out runs/mine/pictures
  capsnet draw all --models lenet5 --weights mine=runs/mine/best.safetensors";

#[derive(Args, Debug)]
pub struct DrawArgs {
    #[command(subcommand)]
    pub drawing: DrawCommand,
}

#[derive(Subcommand, Debug)]
pub enum DrawCommand {
    /// Digits beside what the decoder makes of the true class's capsule and of the predicted one's
    #[command(after_help = RECONSTRUCTIONS_EXAMPLES)]
    Reconstructions(ReconstructionsArgs),
    /// What each dimension of a capsule stands for: the decoder's images as one of them is moved
    #[command(after_help = PERTURBATIONS_EXAMPLES)]
    Perturbations(PerturbationsArgs),
    /// The same digits at a row of angles, with the models' answers
    #[command(after_help = ANGLES_EXAMPLES)]
    Angles(AnglesArgs),
    /// Where the strongest primary capsules send their votes, iteration by iteration, over the image
    #[command(after_help = COUPLINGS_EXAMPLES)]
    Couplings(CouplingsArgs),
    /// Two digits in one image, of different classes and of the same, at a row of distances
    #[command(after_help = CROWDING_EXAMPLES)]
    Crowding(CrowdingArgs),
    /// Routing step by step on a toy: squares and quarter discs whose votes for a doorway agree or disagree
    #[command(after_help = DOORWAY_EXAMPLES)]
    Doorway(DoorwayArgs),
    /// All of them, and a page that shows them
    #[command(after_help = ALL_EXAMPLES)]
    All(AllArgs),
}

/// Where pictures go.
#[derive(Args, Debug, Clone)]
pub struct OutArgs {
    /// A .png or .svg file, or a folder for both
    #[arg(long, value_name = "PATH", default_value = "runs/draw")]
    pub out: PathBuf,
    /// Print one JSON object, with the numbers behind the picture, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// Which test digits, and what is done to them.
#[derive(Args, Debug, Clone, Default)]
pub struct DigitArgs {
    /// Numbers of the test images, counted from 0, separated by commas
    #[arg(long, value_name = "N,..", value_delimiter = ',', conflicts_with_all = ["class", "count"])]
    pub index: Vec<usize>,
    /// Take digits of this class only
    #[arg(long, value_name = "CLASS")]
    pub class: Option<usize>,
    /// How many digits, where the picture shows several
    #[arg(long, value_name = "N", value_parser = positive)]
    pub count: Option<usize>,
    /// What is done to each digit (before a rotation, if any), for example 'shear=20,noise=30'
    #[arg(long, value_name = "SPEC")]
    pub transform: Option<Pipeline>,
    /// How affine transforms read between the pixels
    #[arg(long, value_name = "nearest|bilinear")]
    pub resample: Option<Resample>,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
}

#[derive(Args, Debug)]
pub struct ReconstructionsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub digits: DigitArgs,
    /// Angles in degrees, counter-clockwise, a group of columns each: numbers and from..to:step, separated by commas
    #[arg(long, value_name = "A,B..C:STEP", allow_hyphen_values = true, default_value = "0,35")]
    pub rotate: Values,
    /// Show digits first that the model gets wrong at one of the angles
    #[arg(long, conflicts_with = "index")]
    pub mistakes: bool,
    #[command(flatten)]
    pub weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct PerturbationsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub digits: DigitArgs,
    /// Angle in degrees, counter-clockwise
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, value_parser = angle)]
    pub rotate: Option<f64>,
    #[command(flatten)]
    pub weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct AnglesArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub digits: DigitArgs,
    /// Angles in degrees, counter-clockwise: numbers, or from..to:step, separated by commas
    #[arg(
        long,
        value_name = "VALUES",
        allow_hyphen_values = true,
        default_value = "-90..90:15"
    )]
    pub rotate: Values,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct CouplingsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub digits: DigitArgs,
    /// Angle in degrees, counter-clockwise
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, value_parser = angle)]
    pub rotate: Option<f64>,
    /// Classes to show couplings to, separated by commas [default: the true one, and the two that are the longest
    /// beside it]
    #[arg(long, value_name = "CLASS,..", value_delimiter = ',')]
    pub towards: Vec<usize>,
    /// How many primary capsules to show, the strongest ones
    #[arg(long, value_name = "N", default_value = "40", value_parser = positive)]
    pub strongest: usize,
    /// Compare the couplings over so many test images, the first ones; 0 for not at all
    #[arg(long, value_name = "N", default_value = "100")]
    pub across: usize,
    #[command(flatten)]
    pub weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct CrowdingArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Numbers of two test images of different classes, counted from 0 [default: the first one, and the first of
    /// another class]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub index: Vec<usize>,
    /// Pixels from one digit to the other, to the right: numbers, or from..to:step, separated by commas
    #[arg(long, value_name = "VALUES", default_value = "0..12:2")]
    pub distance: Values,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct DoorwayArgs {
    /// Iterations of routing
    #[arg(long, value_name = "N", default_value = "4", value_parser = positive)]
    pub iterations: usize,
    /// Further squares, and as many quarter discs, in the third scene
    #[arg(long, value_name = "N", default_value = "1")]
    pub extra: usize,
    /// Seed of the scenes
    #[arg(long, value_name = "N", default_value = "9")]
    pub seed: u64,
    #[command(flatten)]
    pub compute: ComputeArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

#[derive(Args, Debug)]
pub struct AllArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Number of the test image for the pictures of a single digit, counted from 0
    #[arg(long, value_name = "N", default_value = "0")]
    pub index: usize,
    #[command(flatten)]
    pub models: ModelsArgs,
    /// Folder for the pictures and the page
    #[arg(long, value_name = "DIR", default_value = "runs/draw")]
    pub out: PathBuf,
    /// Print one JSON object, with the numbers behind the pictures, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
