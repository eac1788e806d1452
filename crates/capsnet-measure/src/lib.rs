//! What was measured, as numbers: scores with their intervals, curves, studies, and how layers answer to rotations.
//!
//! The crate knows no tensors, no models and no ink: the library fills these types in, and the report draws them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`score`] | how many of the images were right, and how sure the model was |
//! | [`interval`] | confidence intervals of accuracies |
//! | [`tested`] | a model tested under one transform after the other |
//! | [`comparison`] | models side by side under the same transforms |
//! | [`paired`], [`answers`] | two models on the same images: McNemar's test and the difference's interval |
//! | [`model`], [`images`] | a model as results note it, an image with the models' answers |
//! | [`weights_file`] | what a weights file holds |
//! | [`sweep`] | accuracies along a family of transforms, and where one model is ahead of another |
//! | [`protocol`] | what a model came to by an evaluation protocol of the field |
//! | [`robustness`] | corruption errors beside a reference's, answers that flip along a perturbation |
//! | [`predict`] | what models say of pictures |
//! | [`bench`](mod@bench) | how long a step of training or of inference takes |
//! | [`run`] | training runs at a glance |
//! | [`study`] | variants of models, trained with several seeds |
//! | [`equivariance`] | how a layer answers to a rotation, each measure beside its chance level |
//! | [`lie`] | Lie derivatives: how fast a layer strays from moving with its input |
//! | [`look`] | what pictures of capsules show |
//!
//! ```
//! use capsnet_measure::Score;
//!
//! let score = Score::new(10_000, 9931);
//! assert_eq!(score.accuracy(), 0.9931);
//! assert!(score.interval().low > 0.9912 && score.interval().high < 0.9946);
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod answers;
pub mod bench;
mod bilinear;
pub mod comparison;
pub mod equivariance;
pub mod images;
pub mod interval;
pub mod lie;
pub mod look;
pub mod model;
pub mod paired;
pub mod predict;
pub mod protocol;
pub mod robustness;
pub mod run;
pub mod score;
pub mod study;
pub mod sweep;
pub mod tested;
pub mod weights_file;

pub use answers::Answers;
pub use comparison::{Comparison, TestResult};
pub use equivariance::{
    Action, AngleMeasures, AngularError, Expected, Layer, LayerMeasures, LayerMeter, LayerSummary, Matrix, RSquared,
    Selection, TooFewSamples, VarianceRatio,
};
pub use images::{Example, ExampleRow, Sample};
pub use interval::{CONFIDENCE, Interval, clustered, student, wilson};
pub use model::ModelEntry;
pub use paired::{Ahead, Paired};
pub use predict::{PictureAnswer, Prediction};
pub use protocol::{ProtocolCell, ProtocolOutcome, ProtocolPicture, ProtocolTest};
pub use score::{Score, ScoreKind};
pub use sweep::{Family, Lead, Sweep, SweepCurve, SweepError, SweepPoint};
pub use tested::Tested;
pub use weights_file::{TensorEntry, WeightsFile};
