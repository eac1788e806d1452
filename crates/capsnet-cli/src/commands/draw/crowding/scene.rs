//! Two digits in one image, and what models say of them.

use anyhow::Result;
use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use serde::Serialize;

use crate::commands::draw::digits::check_indices;
use crate::commands::draw::subject::Subject;
use crate::setting::UsageError;

/// Two digits, a distance apart.
pub struct Crowd {
    pub distance: i32,
    /// Their classes.
    labels: [usize; 2],
    /// Each digit alone, where it stands.
    pub parts: [Vec<u8>; 2],
    /// Both, the light added and clipped.
    pub merged: Vec<u8>,
    /// The share of the light of both that is inside the image.
    pub inside: f64,
}

/// A model's answer to two digits.
#[derive(Serialize)]
pub struct Answer {
    /// The classes with the two largest scores.
    pub best: Vec<usize>,
    /// Whether they are the two that are there, in any order; for two equal digits, whether the first one is.
    pub right: bool,
    /// Probabilities, or lengths of capsules, of all classes.
    pub scores: Vec<f32>,
}

/// The digits asked for, or the first two of different classes.
pub fn pair(data: &Dataset, indices: &[usize]) -> Result<[usize; 2]> {
    let different = |a: usize, b: usize| data.label(a) != data.label(b);
    match *indices {
        [] => {
            let other = (0..data.len()).find(|&index| different(0, index));
            let other = other.ok_or_else(|| anyhow::anyhow!("all test images of {} are of one class", data.name()))?;
            Ok([0, other])
        }
        [a, b] => {
            check_indices(data, indices)?;
            if !different(a, b) {
                let class = data.label(a);
                let message =
                    format!("--index: images {a} and {b} are both of class {class}; two equal digits are drawn anyhow");
                return Err(UsageError(message).into());
            }
            Ok([a, b])
        }
        _ => Err(UsageError("--index: two images are needed, for example --index 2,1".to_owned()).into()),
    }
}

/// The distances as pixels.
pub fn whole_distances(distances: &[f64], width: usize) -> Result<Vec<i32>> {
    let range = 0.0..=width as f64;
    let wrong = distances
        .iter()
        .find(|distance| distance.fract() != 0.0 || !range.contains(*distance));
    if let Some(wrong) = wrong {
        let message = format!("--distance: {wrong} is no whole number of pixels from 0 to {width}");
        return Err(UsageError(message).into());
    }
    Ok(distances.iter().map(|&distance| distance as i32).collect())
}

/// Puts two digits into an image, half the distance to the left and to the right of where they are.
pub fn crowd(data: &Dataset, indices: [usize; 2], distance: i32) -> Result<Crowd> {
    let left = distance / 2;
    let shifts = [-left, distance - left];
    let mut parts = indices.map(|index| data.image(index).to_vec());
    let light = |image: &[u8]| image.iter().map(|&grey| u64::from(grey)).sum::<u64>();
    let before: u64 = parts.iter().map(|part| light(part)).sum();
    for (part, shift) in parts.iter_mut().zip(shifts) {
        let pipeline: Pipeline = format!("translate={shift}:0").parse()?;
        // A fixed shift draws nothing.
        let mut rng = Seed(0).stream("crowding", 0, 0);
        pipeline.apply(part, data.height(), data.width(), &mut rng, &mut Scratch::default());
    }
    let after: u64 = parts.iter().map(|part| light(part)).sum();
    Ok(Crowd {
        distance,
        labels: indices.map(|index| usize::from(data.label(index))),
        merged: parts[0]
            .iter()
            .zip(&parts[1])
            .map(|(a, b)| a.saturating_add(*b))
            .collect(),
        parts,
        inside: after as f64 / before.max(1) as f64,
    })
}

impl Crowd {
    /// Whether both digits are of one class.
    pub fn is_equal(&self) -> bool {
        self.labels[0] == self.labels[1]
    }

    /// The classes, each once.
    pub fn classes(&self) -> Vec<usize> {
        let [a, b] = self.labels;
        if a == b { vec![a] } else { vec![a, b] }
    }

    /// What every model says.
    pub fn answers(&self, subjects: &[Subject], device: &Device) -> Vec<Answer> {
        let answer = |subject: &Subject| {
            let view = subject.view(std::slice::from_ref(&self.merged), device).remove(0);
            let best: Vec<usize> = view.ranking().into_iter().take(2).collect();
            let right = if self.is_equal() {
                best[0] == self.labels[0]
            } else {
                self.labels.iter().all(|label| best.contains(label))
            };
            let scores = view.scores;
            Answer { best, right, scores }
        };
        subjects.iter().map(answer).collect()
    }
}
