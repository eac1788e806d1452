//! A measure of every layer as a picture: one row a layer, its name on the axis, the mean over the angles as a dot on
//! its range, and chance as a tick.

use capsnet_measure::equivariance::{LayerMeasures, Measurements, Quantity, mean_over_angles};

use crate::axis::{Axis, Fitted};
use crate::colour::{FAINT, INK};
use crate::curves::colour;
use crate::drawing::{Anchor, Drawing, Sheet};
use crate::font::Font;
use crate::number::fixed;
use crate::rgb::Rgb;

const WIDTH: f64 = 460.0;
const ROW: f64 = 24.0;
const GAP: f64 = 10.0;
/// Height of a model's name over its layers, and of the axis.
const HEAD: f64 = 30.0;
const TICKS: f64 = 6.0;
const RULE: Rgb = Rgb(0xDD, 0xDD, 0xDD);

/// A layer's figures.
struct Row<'a> {
    name: &'a str,
    mean: f64,
    low: f64,
    high: f64,
    chance: Option<f64>,
}

/// All layers of all models over a caption; `None` if there is nothing to show.
pub(super) fn by_layer(quantity: &Quantity, report: &Measurements, caption: &str) -> Option<Sheet> {
    let models: Vec<(&str, Vec<Row>)> = report
        .models
        .iter()
        .map(|model| {
            let rows = model.layers.iter().filter_map(|layer| row(quantity, layer));
            (model.entry.label.as_str(), rows.collect())
        })
        .collect();
    let rows = || models.iter().flat_map(|(_, rows)| rows);
    let values = rows()
        .flat_map(|row| [row.low, row.high].into_iter().chain(row.chance))
        .chain([0.0]);
    let axis = Axis::linear("").with_unit(quantity.unit).fit(values, true, TICKS)?;
    let longest = rows().map(|row| Font::Body.width(row.name)).fold(0.0, f64::max);
    rows().next()?;

    let mut drawing = Drawing::new();
    let left = longest + GAP;
    let mut top = 0.0;
    for (number, (label, rows)) in models.iter().enumerate().filter(|(_, (_, rows))| !rows.is_empty()) {
        drawing.text((0.0, top), Anchor::Start, Font::Strong, INK, *label);
        top += HEAD;
        let height = ROW * rows.len() as f64;
        grid(&mut drawing, &axis, (left, top), height);
        for (index, row) in rows.iter().enumerate() {
            draw(
                &mut drawing,
                &axis,
                quantity,
                (left, top + ROW * index as f64),
                row,
                colour(number),
            );
        }
        top += height + 2.0;
        for tick in &axis.ticks {
            let x = left + WIDTH * axis.position(tick.value);
            drawing.text((x, top), Anchor::Middle, Font::Small, FAINT, tick.label.clone());
        }
        top += HEAD;
    }
    Some(drawing.sheet(quantity.title, caption))
}

fn row<'a>(quantity: &Quantity, layer: &'a LayerMeasures) -> Option<Row<'a>> {
    let mean = mean_over_angles(layer, quantity.value).filter(|mean| mean.is_finite())?;
    let turned = layer.angles.iter().filter(|at| at.moves());
    let values: Vec<f64> = turned.filter_map(|at| (quantity.value)(layer, at)).collect();
    Some(Row {
        name: &layer.layer,
        mean,
        low: values.iter().copied().fold(mean, f64::min),
        high: values.iter().copied().fold(mean, f64::max),
        chance: mean_over_angles(layer, quantity.chance).filter(|chance| chance.is_finite()),
    })
}

fn grid(drawing: &mut Drawing, axis: &Fitted, (left, top): (f64, f64), height: f64) {
    for tick in &axis.ticks {
        let x = left + WIDTH * axis.position(tick.value);
        drawing.line(&[(x, top), (x, top + height)], 1.0, RULE);
    }
}

fn draw(drawing: &mut Drawing, axis: &Fitted, of: &Quantity, (left, top): (f64, f64), row: &Row, colour: Rgb) {
    let x = |value: f64| left + WIDTH * axis.position(value);
    let middle = top + ROW / 2.0;
    drawing.text((left - GAP, top + 2.0), Anchor::End, Font::Body, INK, row.name);
    drawing.line(&[(x(row.low), middle), (x(row.high), middle)], 3.0, colour);
    if let Some(chance) = row.chance {
        drawing.line(&[(x(chance), top + 3.0), (x(chance), top + ROW - 3.0)], 2.0, FAINT);
    }
    let number = |value: f64| format!("{}{}", fixed(value, of.decimals), of.unit);
    let tip = format!(
        "{}: {}, from {} to {}",
        row.name,
        number(row.mean),
        number(row.low),
        number(row.high)
    );
    drawing.disc((x(row.mean), middle), 5.0, colour, tip);
    drawing.text(
        (left + WIDTH + GAP, top + 2.0),
        Anchor::Start,
        Font::Body,
        INK,
        number(row.mean),
    );
}
