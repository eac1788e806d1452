//! Any ONNX classifier as a network that capsnet tests, sweeps, compares and measures.
//!
//! The model takes one tensor of images, `[batch, channels, height, width]`, as PyTorch has them, `[batch, height,
//! width, channels]`, as Keras has them, or `[batch, pixels]`, and gives one score a class. rten runs it, on the CPU.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::tensor::activation::softmax;
use capsnet::model::{Classifier, ImageShape, Input, Network, Output, ScoreKind};
use capsnet::observe::Observer;
use capsnet::weights::CLASSES_KEY;
use capsnet_data::digest::sha256;
use capsnet_data::transform::Normalize;
use capsnet_measure::ModelEntry;
use capsnet_weights::{WeightsError, read_bytes};
use prost::Message;
use rten::{Dimension, Model};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor as Array};

use crate::export::{SCORES_KEY, Scores};
use crate::{bounds, proto, sound, values};

/// An ONNX model that scores images.
pub struct OnnxClassifier {
    model: Model,
    form: Form,
    input: Input,
    scores: Scores,
    /// How many images it takes at once, where it doesn't take as many as there are.
    at_once: Option<usize>,
    class_names: Vec<String>,
    path: PathBuf,
    sha256: String,
}

/// How the images lie in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `[batch, channels, height, width]`.
    Planar,
    /// `[batch, height, width, channels]`.
    Interleaved,
    /// `[batch, channels * height * width]`.
    Flat,
}

/// An ONNX file that is no classifier of images, or can't be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read at all.
    #[error(transparent)]
    File(#[from] WeightsError),
    /// It is damaged, or has operators that aren't known.
    #[error("{}: rten can't load this ONNX model ({reason})", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What rten said.
        reason: String,
    },
    /// Its outputs are no scores of these classes.
    #[error(
        "{}: this ONNX model gives {outputs} numbers about an image, but the images have {classes} classes; a \
         classifier of them gives one score a class",
        path.display()
    )]
    Outputs {
        /// The file.
        path: PathBuf,
        /// Numbers an image.
        outputs: usize,
        /// Classes of the images.
        classes: usize,
    },
    /// It doesn't take images, or gives no scores of classes.
    #[error(
        "{}: this ONNX model {fault}; a classifier takes one tensor of images and gives one score a class",
        path.display()
    )]
    NoClassifier {
        /// The file.
        path: PathBuf,
        /// What it does instead.
        fault: String,
    },
}

impl OnnxClassifier {
    /// Reads a model, and asks it once about an image without ink.
    ///
    /// `normalize` is what it wants done to pixels in 0..1; unless said otherwise nothing, and in a file that capsnet
    /// has written it is part of the graph.
    ///
    /// # Errors
    ///
    /// [`LoadError`] for a file that is no ONNX model, or for one that is no classifier of images.
    pub fn load(path: &Path, normalize: Option<Normalize>) -> Result<Self, LoadError> {
        let bytes = read_bytes(path)?;
        let digest = sha256(&[&bytes]);
        let unreadable = |reason: String| LoadError::Model {
            path: path.to_owned(),
            reason,
        };
        sound::check(&bytes).map_err(unreadable)?;
        let read = proto::Model::decode(&*bytes).map_err(|error| unreadable(error.to_string()))?;
        let graph = read.graph.as_ref();
        graph
            .map_or(Ok(()), |graph| {
                bounds::check(graph, bytes.len()).and_then(|()| values::check(graph))
            })
            .map_err(unreadable)?;
        let metadata: Vec<(String, String)> = read
            .metadata
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect();
        let model = unpanicked(|| Model::load(bytes)).and_then(|model| model.map_err(|error| error.to_string()));
        let model = model.map_err(unreadable)?;
        let fault = |fault: String| LoadError::NoClassifier {
            path: path.to_owned(),
            fault,
        };
        let (form, image) = form_of(&model).map_err(&fault)?;
        let at_once = images_at_once(&model, image).map_err(&fault)?;
        let mut network = Self {
            model,
            form,
            input: Input {
                image,
                classes: 0,
                normalize: normalize.unwrap_or_default(),
            },
            scores: Scores::Logits,
            at_once,
            class_names: Vec::new(),
            path: path.to_owned(),
            sha256: digest,
        };
        let blank = |images: usize| vec![0.0; images * image.pixels()];
        let (images, scores) = match network.at_once {
            Some(images) => (images, network.run(&blank(images), images)),
            // A graph may say that any number will do and then take one.
            None => match [2, 3].map(|images| network.run(&blank(images), images)) {
                [two @ Ok(_), Ok(_)] => (2, two),
                _ => {
                    network.at_once = Some(1);
                    (1, network.run(&blank(1), 1))
                }
            },
        };
        let scores = scores.map_err(&fault)?;
        network.input.classes = scores.len() / images;
        if network.input.classes < 2 {
            return Err(fault(format!("gives {} numbers about {images} images", scores.len())));
        }
        let entry = |wanted: &str| metadata.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
        let names = entry(CLASSES_KEY).and_then(|json| serde_json::from_str::<Vec<String>>(json).ok());
        let names = names.filter(|names| names.len() == network.input.classes);
        network.class_names = names.unwrap_or_default();
        let noted = entry(SCORES_KEY).and_then(|name| Scores::ALL.into_iter().find(|scores| scores.name() == name));
        network.scores = noted.unwrap_or_else(|| told_by(&scores, network.input.classes));
        Ok(network)
    }

    /// Checks that a data set with so many classes is one that this may be a classifier of. It may tell a few more
    /// apart; but a model that redraws its images, or knows a thousand things, is none of ten digits.
    ///
    /// # Errors
    ///
    /// [`LoadError::Outputs`] if it gives more than twice as many numbers.
    pub fn check_classes(&self, classes: usize) -> Result<(), LoadError> {
        match self.input.classes > 2 * classes {
            true => Err(LoadError::Outputs {
                path: self.path.clone(),
                outputs: self.input.classes,
                classes,
            }),
            false => Ok(()),
        }
    }

    /// What results say of it.
    pub fn entry(&self, label: impl Into<String>) -> ModelEntry {
        ModelEntry {
            label: label.into(),
            model: "onnx".to_owned(),
            weights: self.path.display().to_string(),
            sha256: self.sha256.clone(),
            parameters: self.parameters(),
            true_class: self.score_kind(),
            trained_with: None,
            training_epochs: None,
            training_seconds: None,
        }
    }

    /// The scores of so many images, which lie plane by plane; or why there are none.
    fn run(&self, images: &[f32], count: usize) -> Result<Vec<f32>, String> {
        let ImageShape {
            channels,
            height,
            width,
        } = self.input.image;
        let array = NdTensor::from_data([count, channels, height, width], images.to_vec());
        let array: Array<f32> = match self.form {
            Form::Planar => array.into_dyn(),
            Form::Interleaved => array.permuted([0, 2, 3, 1]).to_tensor().into_dyn(),
            Form::Flat => array.into_shape([count, channels * height * width]).into_dyn(),
        };
        let scores = unpanicked(|| self.model.run_one(array.into(), None));
        let scores = scores.and_then(|scores| scores.map_err(|error| error.to_string()));
        let scores = scores.map_err(|reason| format!("can't be run ({reason})"))?;
        let scores: Array<f32> = scores.try_into().map_err(|_| "gives no floats".to_owned())?;
        if scores.shape().first() != Some(&count) || !scores.len().is_multiple_of(count) {
            return Err(format!(
                "gives an output of shape {:?} about {count} images",
                scores.shape()
            ));
        }
        Ok(scores.to_vec())
    }

    /// The same of any number of images, as many at once as it takes; what is missing from the last is blank.
    fn run_all(&self, images: &[f32]) -> Result<Vec<f32>, String> {
        let pixels = self.input.image.pixels();
        let Some(at_once) = self.at_once else {
            return self.run(images, images.len() / pixels);
        };
        let mut scores = Vec::new();
        for part in images.chunks(at_once * pixels) {
            let mut whole = part.to_vec();
            whole.resize(at_once * pixels, 0.0);
            let answered = self.run(&whole, at_once)?;
            scores.extend_from_slice(&answered[..part.len() / pixels * self.input.classes]);
        }
        Ok(scores)
    }
}

/// What comes of rten, which panics at some graphs that make no sense.
fn unpanicked<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or(panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason was given");
        format!("rten gave up: {text}")
    })
}

/// How the images lie in a model's input, and their size; 28 x 28 where it is left open.
fn form_of(model: &Model) -> Result<(Form, ImageShape), String> {
    let inputs = model.input_ids().len();
    if inputs != 1 {
        return Err(format!("has {inputs} inputs"));
    }
    let shape = model.input_shape(0).ok_or("doesn't say the shape of its input")?;
    let size = |dimension: &Dimension, open: usize| match dimension {
        Dimension::Fixed(size) => *size,
        Dimension::Symbolic(_) => open,
    };
    let usual = ImageShape::MNIST;
    let (form, channels, height, width) = match shape.as_slice() {
        [_, pixels] => {
            let pixels = size(pixels, usual.pixels());
            // Grey and square, or else in colour and square.
            let square = |pixels: usize| Some(pixels.isqrt()).filter(|side| side * side == pixels);
            let sides = [1, 3]
                .into_iter()
                .find_map(|channels| Some((channels, square(pixels / channels)?)));
            let (channels, side) = sides
                .filter(|(channels, side)| channels * side * side == pixels)
                .ok_or_else(|| format!("takes {pixels} numbers, which are no square image"))?;
            (Form::Flat, channels, side, side)
        }
        [_, a, b, c] => {
            let [first, last] = [size(a, 1), size(c, usual.width)];
            if !matches!(first, 1 | 3) && matches!(last, 1 | 3) {
                (Form::Interleaved, last, size(a, usual.height), size(b, usual.width))
            } else {
                (Form::Planar, first, size(b, usual.height), last)
            }
        }
        _ => return Err(format!("takes an input of {} dimensions", shape.len())),
    };
    let image = ImageShape {
        channels,
        height,
        width,
    };
    if image.pixels() == 0 || image.pixels() > MOST_PIXELS {
        return Err(format!("takes images of {channels} x {height} x {width}"));
    }
    Ok((form, image))
}

/// The number of images that a model's file fixes, as an export with an example of so many does; `None` where it is
/// left open.
fn images_at_once(model: &Model, image: ImageShape) -> Result<Option<usize>, String> {
    let shape = model.input_shape(0).unwrap_or_default();
    match shape.first() {
        Some(Dimension::Fixed(images)) if *images == 0 || images.saturating_mul(image.pixels()) > MOST_PIXELS => {
            Err(format!("takes {images} images at once"))
        }
        Some(Dimension::Fixed(images)) => Ok(Some(*images)),
        _ => Ok(None),
    }
}

/// More than any image set that it could be measured on has.
const MOST_PIXELS: usize = 1 << 24;

/// Numbers between 0 and 1 that sum to one are probabilities; any others are taken for logits.
fn told_by(scores: &[f32], classes: usize) -> Scores {
    let sums_to_one = |row: &[f32]| {
        row.iter().all(|score| (0.0..=1.0).contains(score)) && (row.iter().sum::<f32>() - 1.0).abs() < 1e-4
    };
    if scores.chunks_exact(classes).all(sums_to_one) {
        Scores::Probabilities
    } else {
        Scores::Logits
    }
}

impl Network for OnnxClassifier {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let device = images.device();
        let count = images.dims()[0];
        let values = images.into_data().try_into_vec_as::<f32>().expect("images are floats");
        // It has answered about blank images, and its graph is the same for all.
        let scores = self.run_all(&values).expect("the model was run before");
        let scores = Tensor::<2>::from_data(TensorData::new(scores, [count, self.input.classes]), &device);
        // Their logarithms are logits, whose cross-entropy is that of the probabilities.
        let scores = match self.scores {
            Scores::Probabilities => scores.clamp_min(f32::MIN_POSITIVE).log(),
            Scores::Logits | Scores::Lengths | Scores::Activations | Scores::LengthsAndPoses => scores,
        };
        observer.see("scores", &scores);
        scores.into()
    }

    fn score_kind(&self) -> ScoreKind {
        match self.scores {
            Scores::Lengths => ScoreKind::CapsuleLength,
            Scores::Activations => ScoreKind::Activation,
            Scores::LengthsAndPoses => ScoreKind::LengthAndPose,
            Scores::Logits | Scores::Probabilities => ScoreKind::Probability,
        }
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        match self.scores {
            Scores::Logits | Scores::Probabilities => softmax(output.scores.clone(), 1),
            Scores::Lengths | Scores::Activations | Scores::LengthsAndPoses => output.scores.clone(),
        }
    }
}

impl Classifier for OnnxClassifier {
    fn input(&self) -> Input {
        self.input
    }

    fn title(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        format!("{stem} (ONNX)")
    }

    fn parameters(&self) -> usize {
        self.model.total_params()
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }
}

impl fmt::Debug for OnnxClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxClassifier")
            .field("path", &self.path)
            .field("form", &self.form)
            .field("input", &self.input)
            .field("scores", &self.scores)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capsnet::model::{LeNet5Config, ModelConfig};
    use capsnet_data::random::Seed;

    /// Nets are often exported with the example's batch: 10 images are then 7 and 3 with 4 blank ones.
    #[test]
    fn a_network_that_takes_seven_images_at_once_answers_about_ten() {
        let device = Device::flex();
        let folder = tempfile::tempdir().unwrap();
        let [any, seven, none] = ["any.onnx", "seven.onnx", "none.onnx"].map(|name| folder.path().join(name));
        let config = ModelConfig::LeNet5(LeNet5Config::default());
        crate::save(&any, &capsnet::model::Model::new(config, Seed(1), &device).unwrap()).unwrap();
        let mut file = proto::Model::decode(&*std::fs::read(&any).unwrap()).unwrap();
        for (images, path) in [(7, &seven), (0, &none)] {
            let input = &mut file.graph.as_mut().unwrap().input[0];
            let shape = input
                .kind
                .as_mut()
                .and_then(|kind| kind.tensor.as_mut()?.shape.as_mut());
            shape.unwrap().dimensions[0] = proto::Dimension {
                size: Some(images),
                name: None,
            };
            std::fs::write(path, file.encode_to_vec()).unwrap();
        }
        let images = Tensor::<1, Int>::arange(0..10 * 784, &device)
            .float()
            .sin()
            .reshape([10, 1, 28, 28]);
        let [expected, scores] = [&any, &seven].map(|path| {
            let network = OnnxClassifier::load(path, None).unwrap();
            assert_eq!(network.at_once, (path == &seven).then_some(7));
            network.forward(images.clone()).scores.into_data()
        });
        scores.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::rel_abs(1e-6, 1e-6));
        let refused = OnnxClassifier::load(&none, None).err().unwrap().to_string();
        assert!(refused.contains("0 images at once"), "{refused}");
    }
}
