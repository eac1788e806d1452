//! What each dimension of a capsule stands for (Sabour, Frosst and Hinton 2017, section 5.1).

use serde::Serialize;

use super::Size;

/// One digit's true capsule with each of its dimensions moved, and decoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Perturbations {
    /// The file of the model's weights.
    pub weights: String,
    /// The data set.
    pub dataset: String,
    /// The digit's number in it.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// What was done to it.
    pub transform: String,
    /// The class that the model answers.
    pub prediction: usize,
    /// The lengths of all class capsules.
    pub scores: Vec<f32>,
    /// The true class's capsule.
    pub capsule: Vec<f32>,
    /// By how much each of its dimensions was moved.
    pub offsets: Vec<f32>,
    /// For each dimension, the mean squared difference of the decoder's images at the two ends from one another, a
    /// pixel.
    pub effect: Vec<f64>,
    /// The size of all images.
    #[serde(skip)]
    pub size: Size,
    /// The digit as the model saw it.
    #[serde(skip)]
    pub input: Vec<u8>,
    /// What the capsule is decoded to as it is.
    #[serde(skip)]
    pub decoded: Vec<f32>,
    /// What it is decoded to moved: `[dimension][offset]`.
    #[serde(skip)]
    pub images: Vec<Vec<Vec<f32>>>,
}

impl Perturbations {
    /// The mean squared difference of the first and the last image of a row.
    pub fn effect_of(images: &[Vec<f32>]) -> f64 {
        let (Some(first), Some(last)) = (images.first(), images.last()) else {
            return 0.0;
        };
        let squares = first.iter().zip(last).map(|(&a, &b)| f64::from(a - b).powi(2));
        squares.sum::<f64>() / first.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_is_that_of_the_ends() {
        let row = [vec![0.0, 1.0], vec![9.0, 9.0], vec![0.5, 0.0]];
        assert_eq!(Perturbations::effect_of(&row), 0.625);
        assert_eq!(Perturbations::effect_of(&[]), 0.0);
    }
}
