//! What can go wrong in this library.

use std::io;
use std::path::{Path, PathBuf};

use capsnet_data::dataset::DatasetError;
use capsnet_data::locate::LocateError;
use capsnet_data::lock::LockError;
use capsnet_data::protocol::{MatError, ProtocolError};
use capsnet_weights::WeightsError;

use crate::memory::{Estimate, gigabytes};
use crate::model::ConfigError;
use crate::train::Diverged;

/// Any error of this library; every message says what was wrong, with which file or setting, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration that describes no possible network.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A weights file that can't be read, written or used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A data set that can't be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A data set that a protocol can't be carried out on.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A data set that isn't on this machine.
    #[error(transparent)]
    Locate(Box<LocateError>),
    /// An original file of a protocol that can't be read.
    #[error(transparent)]
    Mat(Box<MatError>),
    /// A name that is none of the protocols'.
    #[error("there is no protocol `{name}`; known are {known}")]
    UnknownProtocol {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A model for images of another size than a protocol's.
    #[error("--protocol {protocol} has images of {} here, but the model takes {}", size(*needs), size(*takes))]
    ProtocolSize {
        /// The protocol.
        protocol: &'static str,
        /// Rows and columns of its images.
        needs: [usize; 2],
        /// Rows and columns that the model takes.
        takes: [usize; 2],
    },
    /// A weights file of no known model.
    #[error(
        "{}: these tensors are those of no model that capsnet knows by their names and shapes, and the file doesn't \
         say what it holds; `capsnet convert --rename FROM=TO` gives them other names, and `FROM=` leaves some out. It \
         has{tensors}", path.display()
    )]
    UnknownModel {
        /// The file.
        path: PathBuf,
        /// Names and shapes of its tensors, a line each, and those of the model that is nearest to them.
        tensors: String,
    },
    /// Weights of this library that aren't where they are looked for.
    #[error(
        "the trained weights of {name} aren't on this machine. Looked for:\n{}Copy \
         {name}.safetensors out of `weights` of the repository and name its folder by CAPSNET_WEIGHTS, get them with \
         `capsnet fetch weights --base-url URL` where that folder is served, or name a file with --weights",
        listed(looked_at)
    )]
    NoWeights {
        /// The model.
        name: String,
        /// The files that there aren't, in order.
        looked_at: Vec<PathBuf>,
    },
    /// A folder of weights that isn't one.
    #[error("CAPSNET_WEIGHTS: {} is not a folder", folder.display())]
    NoWeightsFolder {
        /// What the variable says.
        folder: PathBuf,
    },
    /// Whole numbers where a model has weights.
    #[error("{}: tensor `{tensor}` holds whole numbers, but weights are floats; convert it before \
        saving", path.display())]
    NotFloat {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A weights file whose configuration can't be read or describes no possible network.
    #[error("{}: the model configuration in the file's metadata is of no use ({reason})", path.display())]
    BadConfig {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A file or folder of a run that can't be read or written.
    #[error("can't {action} {}: {source}", path.display())]
    File {
        /// What was tried: "read", "write", "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A training setting out of range.
    #[error("the training setting `{field}` is {value}, but {rule}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        rule: String,
    },
    /// A layer whose equivariance can't be measured on so few images.
    #[error("layer {layer}: {few}{}", if *by_class { ", of at least one class" } else { "" })]
    TooFewSamples {
        /// The layer.
        layer: String,
        /// Whether each class is measured by itself.
        by_class: bool,
        /// How many there are.
        few: capsnet_measure::TooFewSamples,
    },
    /// Images or classes that the model can't take.
    #[error("{data} has {found}, but the model takes {expected}")]
    Mismatch {
        /// The data set.
        data: String,
        /// What it has.
        found: String,
        /// What the model wants.
        expected: String,
    },
    /// Models of one name side by side.
    #[error("two of the models are called `{0}`")]
    SameLabel(String),
    /// A layer that no model has.
    #[error("there is no layer `{layer}`; {known}")]
    NoLayer {
        /// The layer asked for.
        layer: String,
        /// The layers of each model, in words.
        known: String,
    },
    /// A network that can't be attacked, as it isn't made of operations that are differentiated.
    #[error("{model} has no gradient to its images, which an attack needs: take a network of this library's kind")]
    NoGradient {
        /// The network.
        model: String,
    },
    /// Something that befell one of several models.
    #[error("{label}: {source}")]
    OfModel {
        /// What the model is called.
        label: String,
        /// What it was.
        source: Box<Self>,
    },
    /// A result that can't be, such as a loss that is not finite.
    #[error(transparent)]
    Sweep(#[from] capsnet_measure::SweepError),
    /// A folder that can't be resumed or started in.
    #[error("{}: {reason}", path.display())]
    RunFolder {
        /// The folder.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
    /// A training that needs more memory than there is.
    #[error(
        "training this {model} needs at least {} of memory ({} parameters with gradients and moments, {} activations \
         of a batch with theirs), but {} are free; make the model or the batch smaller (a CapsNet for large images: \
         --preset large)",
        gigabytes(estimate.bytes()), estimate.parameters, estimate.activations, gigabytes(*available)
    )]
    Memory {
        /// The model's name.
        model: &'static str,
        /// What it takes.
        estimate: Estimate,
        /// Bytes that there are.
        available: u64,
    },
    /// A checkpoint that can't be gone on from.
    #[error(
        "{}: this checkpoint is damaged ({reason}), or belongs to other settings; start the run anew in another folder",
        path.display()
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that keeps processes from training together.
    #[error("{reason}")]
    Ranks {
        /// What it is, and what to do.
        reason: String,
    },
    /// A training over several processes that another one of them had to end.
    #[error("rank {rank} has failed, and says why; the last checkpoint is there to go on from")]
    OtherRank {
        /// Which.
        rank: usize,
    },
    /// A folder in which somebody else writes, or where nobody can.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// Training that produced NaN or infinity.
    #[error(
        "training diverged at step {step}: {place} became NaN or infinite. Checkpoints are of steps before; try a \
            smaller learning rate, in another folder"
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// Where the first such value was found.
        place: Diverged,
    },
}

impl From<LocateError> for Error {
    fn from(error: LocateError) -> Self {
        Self::Locate(Box::new(error))
    }
}

impl From<MatError> for Error {
    fn from(error: MatError) -> Self {
        Self::Mat(Box::new(error))
    }
}

impl Error {
    /// The same, said of one of several models.
    pub(crate) fn of_model(self, label: &str) -> Self {
        Error::OfModel {
            label: label.to_owned(),
            source: Box::new(self),
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Error::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// "28 x 28".
fn size([height, width]: [usize; 2]) -> String {
    format!("{height} x {width} pixels")
}

/// Files, a line each.
fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("  {}\n", file.display())).collect()
}
