//! Where primary capsules send their votes, under the routing of the training and under others.

use capsnet::look::route_image;
use capsnet::model::{Classifier, Network};
use capsnet::routing::Routing as Algorithm;
use capsnet_measure::look::Iteration;
use serde::{Deserialize, Serialize};

use super::input::Shown;
use super::{Fault, Lab};

/// Primary capsules that are told one by one, the longest ones.
const STRONGEST: usize = 96;

#[derive(Deserialize)]
pub(crate) struct Asked {
    model: usize,
    /// A routing's text form; empty for that of the training.
    #[serde(default)]
    routing: String,
    /// The class whose votes are wanted; that of the answer if none is named.
    #[serde(default)]
    towards: Option<usize>,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
pub(crate) struct Routing {
    class: usize,
    seen: Vec<u8>,
    /// What lengths are: "length" or "activation".
    unit: &'static str,
    primary_capsules: usize,
    starved: usize,
    iterations: Vec<Iteration>,
    strongest: Vec<Strong>,
    /// Rows, columns, pixels from one to the next, and pixels that a capsule sees a side.
    maps: [usize; 4],
    /// `[iteration][row * columns + column]`: the mean coupling with the answer's class, weighted by length.
    towards_answer: Vec<Vec<f64>>,
    /// The class that the votes are for.
    towards: usize,
    /// That class's capsule, `[iteration][D]`.
    capsule: Vec<Vec<f32>>,
}

#[derive(Serialize)]
struct Strong {
    map: usize,
    row: usize,
    column: usize,
    length: f32,
    /// `[iteration][class]`.
    couplings: Vec<Vec<f32>>,
    /// For the class that votes are wanted for.
    vote: Vec<f32>,
}

pub(crate) fn routing(lab: &Lab, asked: &Asked) -> Result<Routing, Fault> {
    let seen = asked.shown.seen(lab)?;
    let model = &lab.model(asked.model)?.model;
    let algorithm = match asked.routing.as_str() {
        "" => None,
        text => Some(text.parse::<Algorithm>().map_err(Fault::bad)?),
    };
    let routed = route_image(model, &seen, algorithm.as_ref(), &lab.device).map_err(Fault::bad)?;
    let found = routed.couplings();
    let lengths = found.iterations.last().map_or(&[][..], |last| &last.class_lengths);
    let longest = |best: usize, class: usize| if lengths[class] > lengths[best] { class } else { best };
    let class = (0..lengths.len()).fold(0, longest);
    let towards = asked.towards.unwrap_or(class);
    if towards >= model.input().classes {
        return Err(Fault::bad(format!("there are {} classes", model.input().classes)));
    }
    let maps = routed.maps();
    let chosen: Vec<usize> = found.strongest().into_iter().take(STRONGEST).collect();
    let votes = routed.votes(towards, &chosen);
    let strongest = chosen.iter().zip(votes).map(|(&capsule, vote)| {
        let place = maps.place_of(capsule);
        Strong {
            map: place.map,
            row: place.row,
            column: place.column,
            length: found.lengths[capsule],
            couplings: found
                .iterations
                .iter()
                .map(|iteration| iteration.couplings[capsule * found.classes..][..found.classes].to_vec())
                .collect(),
            vote,
        }
    });
    let strongest = strongest.collect();
    let places = maps.rows * maps.columns;
    let towards_answer = found.iterations.iter().map(|iteration| {
        let (mut sums, mut weights) = (vec![0.0; places], vec![0.0; places]);
        for (capsule, &length) in found.lengths.iter().enumerate() {
            let coupling = f64::from(iteration.couplings[capsule * found.classes + class]);
            sums[capsule % places] += f64::from(length) * coupling;
            weights[capsule % places] += f64::from(length);
        }
        let means = sums
            .iter()
            .zip(weights)
            .map(|(sum, weight)| sum / f64::max(weight, f64::MIN_POSITIVE));
        means.collect()
    });
    Ok(Routing {
        class,
        unit: model.score_kind().of_capsule(),
        primary_capsules: found.lengths.len(),
        starved: found.starved,
        strongest,
        maps: [maps.rows, maps.columns, maps.stride, maps.side],
        towards_answer: towards_answer.collect(),
        capsule: routed.capsule(towards),
        towards,
        iterations: found.iterations,
        seen,
    })
}
