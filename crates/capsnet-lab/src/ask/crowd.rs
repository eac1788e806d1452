//! Two digits in one image, of different classes and of the same: a class has one capsule, and two of its digits have
//! to share it.

use capsnet::look::{Crowd, crowding, redraws};
use serde::{Deserialize, Serialize};

use super::{Fault, Lab};

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Test digits.
    indices: [usize; 2],
    /// From one to the other, in pixels.
    distance: i32,
}

#[derive(Serialize)]
pub(crate) struct Crowded {
    labels: [usize; 2],
    /// The number of the model whose capsules are decoded.
    redrawer: usize,
    /// The two digits, and the first one twice.
    pairs: [Pair; 2],
}

#[derive(Serialize)]
struct Pair {
    pixels: Vec<u8>,
    /// The two best classes of each model, with their scores, and whether they are those that are there.
    answers: Vec<Answer>,
    /// What each class's capsule is decoded to.
    redrawn: Vec<Redrawn>,
}

#[derive(Serialize)]
struct Answer {
    best: Vec<(usize, f32)>,
    right: bool,
}

#[derive(Serialize)]
struct Redrawn {
    class: usize,
    score: f32,
    pixels: Vec<u8>,
}

pub(crate) fn crowd(lab: &Lab, asked: &Asked) -> Result<Crowded, Fault> {
    let widest = i32::try_from(lab.digits.width()).unwrap_or(i32::MAX);
    if asked.indices.iter().any(|&index| index >= lab.digits.len()) || !(0..=widest).contains(&asked.distance) {
        return Err(Fault::bad(format!(
            "there are {} digits, and distances of 0 to {widest} pixels",
            lab.digits.len()
        )));
    }
    let models: Vec<_> = lab.models.iter().map(|loaded| loaded.named()).collect();
    let redrawer = models
        .iter()
        .position(|model| redraws(model.model, &lab.device).is_ok());
    let redrawer = redrawer.ok_or_else(|| Fault::bad("none of the models draws images of its capsules"))?;
    let distances = [asked.distance];
    let found = crowding(&models, redrawer, &lab.digits, asked.indices, &distances, &lab.device);
    let mut found = found.map_err(Fault::bad)?;
    Ok(Crowded {
        labels: found.labels,
        redrawer,
        pairs: [pair(found.different.remove(0)), pair(found.equal.remove(0))],
    })
}

fn pair(crowd: Crowd) -> Pair {
    let levels = |image: Vec<f32>| image.into_iter().map(|x| (255.0 * x).round() as u8).collect();
    let answers = crowd.answers.into_iter().map(|answer| Answer {
        best: answer.best.iter().map(|&class| (class, answer.scores[class])).collect(),
        right: answer.right,
    });
    let redrawn = crowd.redrawn.into_iter().map(|redrawn| Redrawn {
        class: redrawn.class,
        score: redrawn.score,
        pixels: levels(redrawn.image),
    });
    Pair {
        answers: answers.collect(),
        redrawn: redrawn.collect(),
        pixels: crowd.merged,
    }
}
