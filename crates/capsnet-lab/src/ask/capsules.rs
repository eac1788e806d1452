//! Class capsules: their lengths, their poses over many digits, and what a decoder makes of them.

use capsnet::look::{decode, view};
use capsnet::model::Classifier;
use serde::{Deserialize, Serialize};

use super::input::Shown;
use super::{Fault, Lab};

/// Digits whose poses are asked for at a time, so that nobody waits behind a long answer.
const MOST_POSES: usize = 100;

#[derive(Deserialize)]
pub(crate) struct Asked {
    model: usize,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
pub(crate) struct Capsules {
    class: usize,
    scores: Vec<f32>,
    /// `[classes][D]`.
    capsules: Vec<Vec<f32>>,
    seen: Vec<u8>,
}

pub(crate) fn capsules(lab: &Lab, asked: &Asked) -> Result<Capsules, Fault> {
    let loaded = lab.model(asked.model)?;
    let seen = asked.shown.seen(lab)?;
    let found = view(&loaded.model, std::slice::from_ref(&seen), &lab.device).remove(0);
    let capsules = found.capsules.ok_or_else(|| no_capsules(&loaded.model))?;
    Ok(Capsules {
        class: found.class,
        scores: found.scores,
        capsules,
        seen,
    })
}

fn no_capsules(model: &dyn Classifier) -> Fault {
    Fault::bad(format!("{} has no capsules", model.title()))
}

#[derive(Deserialize)]
pub(crate) struct Decode {
    model: usize,
    class: usize,
    capsule: Vec<f32>,
}

#[derive(Serialize)]
pub(crate) struct Decoded {
    pixels: Vec<u8>,
}

pub(crate) fn decoded(lab: &Lab, asked: &Decode) -> Result<Decoded, Fault> {
    let model = &lab.model(asked.model)?.model;
    let black = vec![0; lab.digits.size()];
    let capsules = lab.poses_of(model, &black).ok_or_else(|| no_capsules(model))?;
    let wanted = capsules.get(asked.class).map(Vec::len);
    if wanted != Some(asked.capsule.len()) || asked.capsule.iter().any(|x| !x.is_finite()) {
        return Err(Fault::bad(format!("there is no such capsule of {}", model.title())));
    }
    let images = decode(model, &[(asked.class, asked.capsule.clone())], &lab.device).map_err(Fault::bad)?;
    let levels = images.into_iter().flatten().map(|x| (255.0 * x).round() as u8);
    Ok(Decoded {
        pixels: levels.collect(),
    })
}

#[derive(Deserialize)]
pub(crate) struct PosesOf {
    model: usize,
    /// The first of the digits.
    from: usize,
    count: usize,
}

#[derive(Serialize)]
pub(crate) struct Poses {
    labels: Vec<u8>,
    /// The answer to each digit.
    classes: Vec<usize>,
    /// The capsule of each digit's true class.
    poses: Vec<Vec<f32>>,
}

pub(crate) fn poses(lab: &Lab, asked: &PosesOf) -> Result<Poses, Fault> {
    let loaded = lab.model(asked.model)?;
    if asked.count > MOST_POSES {
        return Err(Fault::bad(format!("{MOST_POSES} digits at a time are the most")));
    }
    let to = asked.from.saturating_add(asked.count).min(lab.digits.len());
    let indices = asked.from.min(to)..to;
    let images: Vec<Vec<u8>> = indices.clone().map(|index| lab.digits.image(index).to_vec()).collect();
    let labels: Vec<u8> = indices.map(|index| lab.digits.label(index)).collect();
    let views = view(&loaded.model, &images, &lab.device);
    let classes = views.iter().map(|view| view.class).collect();
    let of_true = views.into_iter().zip(&labels).map(|(view, &label)| {
        let mut capsules = view.capsules.ok_or_else(|| no_capsules(&loaded.model))?;
        Ok(capsules.swap_remove(usize::from(label)))
    });
    Ok(Poses {
        poses: of_true.collect::<Result<_, _>>()?,
        classes,
        labels,
    })
}
