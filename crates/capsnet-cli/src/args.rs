//! The command line: every flag, its help and its examples in one place.

use std::path::PathBuf;

use capsnet::train::Schedule;
use capsnet_data::catalog::KnownSet;
use capsnet_data::transform::{Augment, Normalize, Pipeline, Resample};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Capsule networks beside a plain convolutional network: train them, test them on rotated digits, look at what they see.
///
/// Without a command it compares the weights that come with it, on upright and on rotated test digits.
#[derive(Parser, Debug)]
#[command(name = "capsnet", version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show LeNet-5 and CapsNet side by side on upright and rotated digits, as a table and as pictures
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Train a model, or resume a training that was stopped
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(TrainArgs),
    /// Measure a model's accuracy on the test images, upright or transformed
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
    /// Say which class an image file shows
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(PredictArgs),
    /// Turn a PyTorch state dict or a safetensors file into safetensors that both capsnet and PyTorch load
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert(ConvertArgs),
    /// Say what a weights file holds: model, configuration, parameters, tensors
    #[command(after_help = INFO_EXAMPLES)]
    Info(InfoArgs),
    /// Download a data set into the user's cache
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchArgs),
    /// Time the program on this machine
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
}

impl Default for Command {
    fn default() -> Self {
        Cli::parse_from(["capsnet", "compare"])
            .command
            .expect("a command was given")
    }
}

const COMPARE_EXAMPLES: &str = "Examples:
  capsnet compare
  capsnet compare --rotate=-30,30 --resample bilinear
  capsnet compare --train --epochs 1 --limit 6000
  capsnet compare --limit 1000 --json";

const TRAIN_EXAMPLES: &str = "Examples:
  capsnet train lenet5 --epochs 3
  capsnet train capsnet --epochs 3 --schedule cosine --out runs/mine
  capsnet train lenet5 --augment 'translate=2,rotate=-45..45'
  capsnet train lenet5 --resume runs/lenet5-1";

const TEST_EXAMPLES: &str = "Examples:
  capsnet test lenet5
  capsnet test capsnet --rotate=-35,-23,15,35 --limit 1000
  capsnet test lenet5 --weights lenet5_trained.pt --rotate 15 --json
  capsnet test lenet5 --transform 'shear=20,noise=30'";

const PREDICT_EXAMPLES: &str = "Examples:
  capsnet predict capsnet digit.png
  capsnet predict lenet5 --invert scan1.jpg scan2.jpg --json";

const CONVERT_EXAMPLES: &str = "Examples:
  capsnet convert epoch_32.pt epoch_32.safetensors
  capsnet convert --half runs/capsnet-1/best.safetensors capsnet.safetensors";

const INFO_EXAMPLES: &str = "Examples:
  capsnet info weights/capsnet.safetensors
  capsnet info epoch_32.pt --json";

const FETCH_EXAMPLES: &str = "Examples:
  capsnet fetch fashion-mnist
  capsnet fetch mnist --base-url http://localhost:8000/mnist/";

const BENCH_EXAMPLES: &str = "Examples:
  capsnet bench step capsnet
  capsnet bench step capsnet --mode infer --batch-size 1 --steps 200 --threads 2
  capsnet bench step lenet5 --augment translate=2 --json";

/// Which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// LeNet-5, 44,426 parameters
    Lenet5,
    /// CapsNet with dynamic routing, 8,215,568 parameters
    Capsnet,
}

impl ModelName {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ModelName::Lenet5 => "lenet5",
            ModelName::Capsnet => "capsnet",
        }
    }
}

/// Which CapsNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// As in the paper
    Paper,
    /// As in the tutorial's code: softmax over the inputs, softmaxed lengths, batch norm on the input
    Tutorial,
}

/// Where images come from and what computes.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// Folder with the four IDX files, raw or gzipped [default: $CAPSNET_DATA, the checkout's data/, the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The data set to look for where no folder is given
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub dataset: KnownSet,
    /// Use the first so many images only
    #[arg(long, value_name = "N", value_parser = positive)]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// What computes.
#[derive(Args, Debug, Clone)]
pub struct ComputeArgs {
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,
    /// Where to compute: cpu, or a GPU backend that this build has
    #[arg(long, default_value = "cpu", value_name = "NAME")]
    pub device: String,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub rotation: RotationArgs,
    /// Train both models first, instead of taking the weights that come with capsnet
    #[arg(long)]
    pub train: bool,
    /// Passes over the training images, with --train
    #[arg(long, value_name = "N", requires = "train", value_parser = positive_u64, default_value = "1")]
    pub epochs: u64,
    /// Seed of the training and of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the pictures, and for the runs with --train
    #[arg(long, value_name = "DIR", default_value = "runs/compare")]
    pub out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// By which angles to rotate, and how.
#[derive(Args, Debug, Clone)]
pub struct RotationArgs {
    /// Angles in degrees, counter-clockwise, separated by commas
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', allow_hyphen_values = true, default_value = "15,-23,35", value_parser = angle)]
    pub rotate: Vec<f64>,
    /// How a rotation reads between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    pub resample: Resample,
}

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Which model
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    /// Passes over the training images [default: 3]
    #[arg(long, value_name = "N", value_parser = positive_u64)]
    pub epochs: Option<u64>,
    /// Images a step [default: 8 for LeNet-5, 128 for CapsNet]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch_size: Option<usize>,
    /// Learning rate to start from [default: 1e-4 for LeNet-5, 1e-3 for CapsNet]
    #[arg(long, value_name = "X", value_parser = positive_float)]
    pub learning_rate: Option<f64>,
    /// Learning-rate schedule: constant, exponential:FACTOR (an epoch), capsnet (the official one), cosine [default: constant]
    #[arg(long, value_name = "NAME")]
    pub schedule: Option<Schedule>,
    /// What is done to each training image, for example 'translate=2,rotate=-15..15'; of several (or of parts between
    /// bars) every image draws one [default: translate=2]
    #[arg(long, value_name = "SPEC")]
    pub augment: Vec<Augment>,
    /// Seed of weights, order and augmentation [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep the last so many training images out, and choose the best weights by them [default: 2000]
    #[arg(long, value_name = "N")]
    pub validation: Option<usize>,
    /// Stop early when the validation loss has not improved for so many epochs
    #[arg(long, value_name = "EPOCHS", value_parser = positive_u64)]
    pub patience: Option<u64>,
    /// Which CapsNet [default: paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Iterations of dynamic routing [default: 3]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub routing_iterations: Option<usize>,
    /// Seconds between checkpoints within an epoch [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub checkpoint_every: Option<u64>,
    /// Folder of the run [default: runs/MODEL-1, or the next free number]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings
    #[arg(long, value_name = "DIR", conflicts_with_all = ["epochs", "batch_size", "learning_rate", "schedule", "augment", "seed",
        "validation", "patience", "variant", "routing_iterations", "limit", "checkpoint_every"])]
    pub resume: Option<PathBuf>,
}

/// Which weights, and how to read them.
#[derive(Args, Debug, Clone)]
pub struct WeightsArgs {
    /// Weights file, safetensors or PyTorch [default: those that come with capsnet]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Read the weights as this CapsNet; files of PyTorch don't say [default: tutorial if there is a batch norm, else paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Iterations of dynamic routing, if other than in training
    #[arg(long, value_name = "N", value_parser = positive)]
    pub routing_iterations: Option<usize>,
    /// Mean and deviation that pixels in 0..1 are normalised by, if other than in training
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}

#[derive(Args, Debug)]
pub struct TestArgs {
    /// Which model
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// Angles in degrees, counter-clockwise, separated by commas: one test each
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', allow_hyphen_values = true, value_parser = angle)]
    pub rotate: Vec<f64>,
    /// What is done to each test image (before a rotation, if any), for example 'shear=20,noise=30'
    #[arg(long, value_name = "SPEC")]
    pub transform: Option<Pipeline>,
    /// How affine transforms read between the pixels
    #[arg(long, value_name = "nearest|bilinear")]
    pub resample: Option<Resample>,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the confusion matrices as pictures
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct PredictArgs {
    /// Which model
    pub model: ModelName,
    /// PNG or JPEG files; a light digit on a dark ground, unless --invert
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub weights: WeightsArgs,
    /// Swap dark and light first: for dark ink on white paper
    #[arg(long)]
    pub invert: bool,
    /// Folder for the reconstructions, one PNG an image
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Print a JSON list and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// A PyTorch state dict (.pt, .pth; zip or legacy) or a safetensors file
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The safetensors file to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Store half precision: half the size, three digits
    #[arg(long)]
    pub half: bool,
    /// Read the weights as this CapsNet; files of PyTorch don't say [default: tutorial if there is a batch norm, else paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Mean and deviation that the model's input is normalised by, to be noted in the file
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}

#[derive(Args, Debug)]
pub struct InfoArgs {
    /// A weights file, safetensors or PyTorch
    pub weights: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct FetchArgs {
    /// mnist or fashion-mnist
    pub dataset: KnownSet,
    /// Where to download from, instead of the data set's usual mirror
    #[arg(long, value_name = "URL", env = "CAPSNET_BASE_URL")]
    pub base_url: Option<String>,
    /// Folder to put the files into [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: BenchCommand,
}

#[derive(Subcommand, Debug)]
pub enum BenchCommand {
    /// Time steps of training, or of inference, on the training images
    ///
    /// Training steps are those of `capsnet train`: a batch is prepared (and augmented, with --augment), the loss and its
    /// gradients are computed and Adam moves the weights. Inference prepares a batch and computes the predicted classes and, for
    /// CapsNet, the decoder's pictures of them. Batches are consecutive images. Some steps are made before the clock runs. Steps of
    /// LeNet-5 are short, so many of them are timed together as one block, and its time is divided by their number; minimum and
    /// median are those of the blocks.
    #[command(after_help = BENCH_EXAMPLES)]
    Step(BenchStepArgs),
}

/// What a benchmark's step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepMode {
    /// Loss, gradients and an update of the weights
    Train,
    /// The predicted classes, and CapsNet's pictures of them
    Infer,
}

#[derive(Args, Debug)]
pub struct BenchStepArgs {
    /// Which model
    pub model: ModelName,
    #[command(flatten)]
    pub data: DataArgs,
    /// Train or infer
    #[arg(long, default_value = "train")]
    pub mode: StepMode,
    /// Images a step [default: 8 for LeNet-5, 128 for CapsNet]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch_size: Option<usize>,
    /// Steps to time, rounded up to whole blocks [default: 2000 for LeNet-5, 10 for CapsNet]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<usize>,
    /// Steps in a block that is timed as one, at most --steps [default: 100 for LeNet-5, 1 for CapsNet]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub group: Option<usize>,
    /// Steps before the clock runs [default: 100 for LeNet-5, 2 for CapsNet]
    #[arg(long, value_name = "N")]
    pub warmup: Option<usize>,
    /// What is done to each training image, as in `capsnet train`; part of the timed step [default: nothing]
    #[arg(long, value_name = "SPEC")]
    pub augment: Vec<Augment>,
    /// Seed of weights and augmentation
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number of at least 1 is needed".to_owned()),
    }
}

fn positive_u64(text: &str) -> Result<u64, String> {
    positive(text).map(|number| number as u64)
}

fn positive_float(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a positive number is needed, for example 1e-3".to_owned()),
    }
}

fn angle(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(angle) if f64::is_finite(angle) => Ok(angle),
        _ => Err("angles in degrees are needed, separated by commas, for example --rotate=15,-23,35".to_owned()),
    }
}
