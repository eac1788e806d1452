//! What models answer to two digits in one image, and what their capsules are decoded to.

use serde::Serialize;

use super::Size;

/// Two digits of different classes, and the first one twice, at a row of distances.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Crowding {
    /// The data set.
    pub dataset: String,
    /// The two digits' numbers in it.
    pub indices: [usize; 2],
    /// Their classes.
    pub labels: [usize; 2],
    /// The kinds of the models, as on the command line.
    pub models: Vec<String>,
    /// The files of their weights.
    pub weights: Vec<String>,
    /// Two digits of different classes at every distance.
    pub different: Vec<Crowd>,
    /// The first digit twice at every distance.
    pub equal: Vec<Crowd>,
    /// What pictures call the models.
    #[serde(skip)]
    pub names: Vec<String>,
    /// The model whose capsules were decoded.
    #[serde(skip)]
    pub redrawer: usize,
    /// The size of all images.
    #[serde(skip)]
    pub size: Size,
}

/// Two digits, a distance apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Crowd {
    /// In pixels.
    pub distance: i32,
    /// The share of the two digits' light that is inside the image.
    pub inside: f64,
    /// Of every model.
    pub answers: Vec<CrowdAnswer>,
    /// Summed squared difference between each digit alone and what its class's capsule decodes to.
    pub squared_errors: Vec<f64>,
    /// Both digits, the light added and clipped.
    #[serde(skip)]
    pub merged: Vec<u8>,
    /// What the capsule of each class that is there, once each, is decoded to.
    #[serde(skip)]
    pub redrawn: Vec<Redrawn>,
}

/// A model's answer to two digits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrowdAnswer {
    /// The classes with the two largest scores.
    pub best: Vec<usize>,
    /// Whether they are the two that are there, in any order; for two equal digits, whether the first one is.
    pub right: bool,
    /// Probabilities, or lengths of capsules, of all classes.
    pub scores: Vec<f32>,
}

/// What a class's capsule is decoded to.
#[derive(Debug, Clone, PartialEq)]
pub struct Redrawn {
    /// The class.
    pub class: usize,
    /// Its score.
    pub score: f32,
    /// The decoder's image.
    pub image: Vec<f32>,
}

impl Crowd {
    /// Whether both digits are of one class.
    pub fn is_equal(&self) -> bool {
        self.redrawn.len() == 1
    }
}
