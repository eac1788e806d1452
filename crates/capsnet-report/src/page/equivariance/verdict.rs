//! What the layers are, in words.

use capsnet_measure::equivariance::{LayerMeasures, Measurements, ModelMeasures, Quantity, Verdict, mean_over_angles};

use super::super::{capital, listed};
use crate::error::ReportError;
use crate::number::fixed;
use crate::table::{Column, Table};

/// Under the table of verdicts.
pub(super) const RULES: &str = "A layer is called invariant if a rotation moves it less than a quarter as far as \
    another image is away, on average over the angles. It is called equivariant if it moves further, but where to can \
    be foretold from the upright image: where it is known how its poses turn, with less than a quarter of the error of \
    chance (22.5 degrees); elsewhere by a linear map that explains three quarters of what it explains without a \
    rotation. These lines are a convention; the figures below are what was measured.";

/// A sentence a model: "LeNet-5: conv1 is equivariant, scores are neither equivariant nor invariant."
pub(super) fn in_words(measured: &Measurements) -> String {
    let sentences: Vec<String> = measured.models.iter().filter_map(sentence).collect();
    sentences.join("\n\n")
}

fn sentence(model: &ModelMeasures) -> Option<String> {
    let of = |verdict: Verdict| -> Vec<&str> {
        let layers = model.layers.iter().filter(|layer| Verdict::of(layer) == Some(verdict));
        layers.map(|layer| layer.layer.as_str()).collect()
    };
    let parts: Vec<String> = [Verdict::Equivariant, Verdict::Invariant, Verdict::Neither]
        .into_iter()
        .filter_map(|verdict| match &of(verdict)[..] {
            [] => None,
            [one] => Some(format!("{one} is {verdict}")),
            several => Some(format!("{} are {verdict}", listed(several))),
        })
        .collect();
    (!parts.is_empty()).then(|| format!("{}: {}.", model.entry.label, parts.join("; ")))
}

/// A sentence a model of what holds in which layers by one measure; `None` if it has no such words.
pub(super) fn by(quantity: &Quantity, measured: &Measurements) -> Option<String> {
    let verdict = quantity.verdict?;
    let sentence = |model: &ModelMeasures| {
        let mut words: Vec<(&str, Vec<&str>)> = Vec::new();
        for layer in &model.layers {
            let Some(word) = verdict(layer) else { continue };
            match words.iter_mut().find(|(known, _)| *known == word) {
                Some((_, layers)) => layers.push(&layer.layer),
                None => words.push((word, vec![&layer.layer])),
            }
        }
        let parts: Vec<String> = words
            .iter()
            .map(|(word, layers)| format!("{word} in {}", listed(layers)))
            .collect();
        (!parts.is_empty()).then(|| format!("{}: {}.", model.entry.label, parts.join("; ")))
    };
    let sentences: Vec<String> = measured.models.iter().filter_map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join("\n\n"))
}

/// One row a layer: the verdict, and what it is taken from.
pub(super) fn table(measured: &Measurements) -> Result<Table, ReportError> {
    let mut table = Table::new([
        Column::left("model"),
        Column::left("layer"),
        Column::left("verdict"),
        Column::right("distance moved"),
        Column::right("R² of the linear map"),
        Column::right("angular error"),
    ]);
    for model in &measured.models {
        for layer in &model.layers {
            let verdict = Verdict::of(layer).map_or_else(|| "none".to_owned(), |verdict| capital(&verdict.to_string()));
            table.push([
                model.entry.label.clone(),
                layer.layer.clone(),
                verdict,
                figure(mean_over_angles(layer, |_, at| at.distance), 2, ""),
                figure(linear(layer), 2, ""),
                figure(
                    mean_over_angles(layer, |_, at| at.angular_error.map(|error| error.degrees)),
                    1,
                    "°",
                ),
            ])?;
        }
    }
    Ok(table)
}

fn linear(layer: &LayerMeasures) -> Option<f64> {
    mean_over_angles(layer, |_, at| at.r_squared.map(|r| r.linear))
}

fn figure(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{}{unit}", fixed(value, decimals)))
}
