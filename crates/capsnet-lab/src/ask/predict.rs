//! What a model says of an image, and of the image at every angle.

use capsnet::look::view;
use capsnet::model::{Classifier, Network};
use capsnet::predict::usual_threshold;
use capsnet_data::transform::Pipeline;
use serde::{Deserialize, Serialize};
use web_time::Instant;

use super::input::Shown;
use super::{Fault, Lab};

/// The most angles of a curve.
const MOST_ANGLES: usize = 361;

#[derive(Deserialize)]
pub(crate) struct Predict {
    model: usize,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    class: usize,
    scores: Vec<f32>,
    recognised: bool,
    /// The least score that says something.
    threshold: f32,
    seen: Vec<u8>,
    milliseconds: f64,
}

pub(crate) fn predict(lab: &Lab, asked: &Predict) -> Result<Answer, Fault> {
    let seen = asked.shown.seen(lab)?;
    let model = &lab.model(asked.model)?.model;
    let threshold = usual_threshold(model.score_kind());
    let started = Instant::now();
    let found = view(model, std::slice::from_ref(&seen), &lab.device).remove(0);
    Ok(Answer {
        recognised: found.scores[found.class] >= threshold,
        threshold,
        class: found.class,
        scores: found.scores,
        seen,
        milliseconds: 1000.0 * started.elapsed().as_secs_f64(),
    })
}

#[derive(Deserialize)]
pub(crate) struct Curve {
    model: usize,
    /// Whose score is wanted.
    class: usize,
    angles: Vec<f64>,
    /// The rest of the transform stands after the rotation.
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
pub(crate) struct Scores {
    /// Of the class, at each angle.
    scores: Vec<f32>,
    /// The answer at each angle.
    classes: Vec<usize>,
}

pub(crate) fn curve(lab: &Lab, asked: &Curve) -> Result<Scores, Fault> {
    let model = &lab.model(asked.model)?.model;
    if asked.class >= model.input().classes || asked.angles.len() > MOST_ANGLES {
        return Err(Fault::bad(format!(
            "classes are 0 to {}, and {MOST_ANGLES} angles are the most",
            model.input().classes - 1
        )));
    }
    let rest = &asked.shown.transform;
    let turned = asked.angles.iter().map(|angle| {
        let line = if rest.is_empty() {
            String::new()
        } else {
            format!(",{rest}")
        };
        let pipeline: Pipeline = format!("rotate={angle}{line}").parse().map_err(Fault::bad)?;
        asked.shown.seen_under(&pipeline, lab)
    });
    let images: Vec<Vec<u8>> = turned.collect::<Result<_, _>>()?;
    let views = view(model, &images, &lab.device);
    Ok(Scores {
        scores: views.iter().map(|view| view.scores[asked.class]).collect(),
        classes: views.iter().map(|view| view.class).collect(),
    })
}
