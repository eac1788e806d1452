//! Two digits in one image, and what models say of them.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use capsnet_measure::look::{Crowd, CrowdAnswer, Crowding, Redrawn, Size, View, squared_error};

use super::{LookError, capsules_of, decode, view};
use crate::loaded::NamedModel;

/// What models answer to two digits of different classes and to the first one twice, at distances in pixels, and what
/// the capsules of model number `redrawer` are decoded to. Each model is asked once about every image.
///
/// # Errors
///
/// If the redrawer has no capsules or no decoder, or there is no such distance.
///
/// # Panics
///
/// If there is no such image or model.
pub fn crowding(
    models: &[NamedModel],
    redrawer: usize,
    data: &Dataset,
    indices: [usize; 2],
    distances: &[i32],
    device: &Device,
) -> Result<Crowding, LookError> {
    let crowds = |indices: [usize; 2]| {
        let crowds = distances.iter().map(|&distance| {
            let pair = Pair::new(data, indices, distance)?;
            pair.asked(models, redrawer, device)
        });
        crowds.collect::<Result<Vec<Crowd>, LookError>>()
    };
    let entries = models.iter().map(|model| model.entry);
    Ok(Crowding {
        dataset: data.name().to_owned(),
        indices,
        labels: indices.map(|index| usize::from(data.label(index))),
        models: entries.clone().map(|entry| entry.model.clone()).collect(),
        weights: entries.clone().map(|entry| entry.weights.clone()).collect(),
        different: crowds(indices)?,
        equal: crowds([indices[0]; 2])?,
        names: entries.map(|entry| entry.label.clone()).collect(),
        redrawer,
        size: Size {
            width: data.width(),
            height: data.height(),
        },
    })
}

/// Two digits, a distance apart.
struct Pair {
    distance: i32,
    labels: [usize; 2],
    /// Each digit alone, where it stands.
    parts: [Vec<u8>; 2],
    /// Both, the light added and clipped.
    merged: Vec<u8>,
    /// The share of the light of both that is inside the image.
    inside: f64,
}

impl Pair {
    /// Puts two digits into an image, half the distance to the left and to the right of where they are.
    fn new(data: &Dataset, indices: [usize; 2], distance: i32) -> Result<Self, LookError> {
        let left = distance / 2;
        let mut parts = indices.map(|index| data.image(index).to_vec());
        let light = |parts: &[Vec<u8>; 2]| parts.iter().flatten().map(|&grey| u64::from(grey)).sum::<u64>();
        let before = light(&parts);
        for (part, shift) in parts.iter_mut().zip([-left, distance - left]) {
            let pipeline: Pipeline = format!("translate={shift}:0").parse()?;
            // A fixed shift draws nothing.
            let mut rng = Seed(0).stream("crowding", 0, 0);
            pipeline.apply(part, data.height(), data.width(), &mut rng, &mut Scratch::default());
        }
        let after = light(&parts);
        let both = parts[0].iter().zip(&parts[1]);
        Ok(Self {
            distance,
            labels: indices.map(|index| usize::from(data.label(index))),
            merged: both.map(|(a, b)| a.saturating_add(*b)).collect(),
            parts,
            inside: after as f64 / before.max(1) as f64,
        })
    }

    /// The classes, each once.
    fn classes(&self) -> &[usize] {
        let [a, b] = self.labels;
        if a == b { &self.labels[..1] } else { &self.labels }
    }

    fn asked(self, models: &[NamedModel], redrawer: usize, device: &Device) -> Result<Crowd, LookError> {
        let image = std::slice::from_ref(&self.merged);
        let views: Vec<View> = models
            .iter()
            .map(|model| view(model.model, image, device).remove(0))
            .collect();
        let (decoder, said) = (models[redrawer].model, &views[redrawer]);
        let capsules = capsules_of(decoder, said)?;
        let classes = self.classes();
        let chosen: Vec<_> = classes.iter().map(|&class| (class, capsules[class].clone())).collect();
        let images = decode(decoder, &chosen, device)?;
        let errors = self.parts.iter().zip(images.iter().cycle());
        let squared_errors = errors.map(|(part, image)| squared_error(part, image)).collect();
        let redrawn = classes.iter().zip(images).map(|(&class, image)| Redrawn {
            class,
            score: said.scores[class],
            image,
        });
        Ok(Crowd {
            distance: self.distance,
            inside: self.inside,
            redrawn: redrawn.collect(),
            squared_errors,
            answers: views.into_iter().map(|view| self.answer(view)).collect(),
            merged: self.merged,
        })
    }

    fn answer(&self, view: View) -> CrowdAnswer {
        let best: Vec<usize> = view.ranking().into_iter().take(2).collect();
        let right = match self.classes() {
            [only] => best[0] == *only,
            both => both.iter().all(|label| best.contains(label)),
        };
        CrowdAnswer {
            best,
            right,
            scores: view.scores,
        }
    }
}
