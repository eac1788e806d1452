//! Single units as heat maps, a layer each: units from top to bottom, the amount of the transform from left to right.

use capsnet_measure::equivariance::{LayerMeasures, Measurements, ModelMeasures, UnitMap};

use crate::colour::{BLUE, ColourImage, FAINT, INK, ORANGE, PALE, diverging};
use crate::drawing::{Anchor, Drawing, Sheet};
use crate::error::ReportError;
use crate::font::Font;
use crate::grey::GreyImage;
use crate::number::{count, degrees};
use crate::rgb::Rgb;
use crate::sweep::value;

/// Over the pictures.
pub(super) const NOTE: &str = "Each line is a unit, the most invariant one at the top, and each column an amount of \
    the transform; blue is a unit that stays as it is, no colour one that moves as far as another image would move it, \
    and orange one that moves further. A layer that is blue all over is invariant, one with a few blue lines at the \
    top has a few units that are.";

/// Height of a unit's line.
const LINE: f64 = 3.0;
/// Width of a map; cells are whole multiples of a line's height.
const WIDTH: f64 = 300.0;
/// Grey levels that stand for a distance of 1.
const ONE: f64 = 127.0;
/// A share of chance that is little.
const LITTLE: f64 = 0.25;

/// A unit with how far it moved at each amount.
type Line<'a> = (usize, &'a [Option<f64>], f64);

/// A layer's map under its name, what it shows and a sentence about it; `None` where no unit ever changes.
pub(super) struct Heat {
    pub(super) drawing: Drawing,
    pub(super) alt: String,
    pub(super) sentence: String,
}

/// The maps of a model's layers.
///
/// # Errors
///
/// None that measurements cause.
pub(super) fn heat(model: &ModelMeasures, measured: &Measurements) -> Result<Vec<Heat>, ReportError> {
    let maps = model
        .layers
        .iter()
        .filter_map(|layer| Some((layer, layer.by_unit.as_ref()?)));
    let heat = maps.filter_map(|(layer, map)| of_layer(layer, map, measured).transpose());
    heat.collect()
}

/// All maps of a model as one picture; `None` if there is none.
///
/// # Errors
///
/// None that measurements cause.
pub(super) fn sheet(
    model: &ModelMeasures,
    measured: &Measurements,
    caption: &str,
) -> Result<Option<Sheet>, ReportError> {
    const GAP: f64 = 24.0;
    let mut whole = Drawing::new();
    for heat in heat(model, measured)? {
        let top = if whole.height() > 0.0 {
            whole.height() + GAP
        } else {
            0.0
        };
        whole.place((0.0, top), &heat.drawing);
    }
    let title = format!("Single units: {}", model.entry.label);
    Ok((whole.height() > 0.0).then(|| whole.sheet(title, format!("{NOTE}\n{caption}"))))
}

fn of_layer(layer: &LayerMeasures, map: &UnitMap, measured: &Measurements) -> Result<Option<Heat>, ReportError> {
    let mean = |moved: &[Option<f64>]| {
        let turned = moved.iter().zip(&layer.angles).filter(|(_, at)| at.moves());
        let values: Vec<f64> = turned.filter_map(|(moved, _)| *moved).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let lines = map.units.iter().zip(&map.moved);
    let mut lines: Vec<Line> = lines
        .filter_map(|(&unit, moved)| Some((unit, &moved[..], mean(moved)?)))
        .collect();
    lines.sort_by(|a, b| a.2.total_cmp(&b.2));
    if lines.is_empty() {
        return Ok(None);
    }
    let drawing = draw(layer, &lines, measured)?;
    Ok(Some(Heat {
        drawing,
        alt: format!(
            "How far {} units of {} move by the amount of the transform",
            lines.len(),
            layer.layer
        ),
        sentence: sentence(layer, &lines),
    }))
}

fn draw(layer: &LayerMeasures, lines: &[Line], measured: &Measurements) -> Result<Drawing, ReportError> {
    let columns = measured.rotate.len().max(1);
    let wide = ((WIDTH / LINE / columns as f64).round() as usize).max(1);
    let levels = lines.iter().flat_map(|(_, moved, _)| {
        moved.iter().flat_map(|moved| {
            // A cast saturates.
            let level = (moved.unwrap_or(0.0) * ONE).round() as u8;
            std::iter::repeat_n(level, wide)
        })
    });
    let grey = GreyImage::new(columns * wide, lines.len(), levels.collect())?;
    let image = ColourImage::of(&grey, |level| diverging(f64::from(level) / ONE - 1.0));
    let mut drawing = Drawing::new();
    drawing.text((0.0, 0.0), Anchor::Start, Font::Strong, INK, layer.layer.clone());
    let top = Font::Strong.height() + 4.0;
    drawing.image((0.0, top), &image, LINE);
    let (width, height) = (LINE * (columns * wide) as f64, LINE * lines.len() as f64);
    drawing.frame((0.0, top), (width, height), 1.0, PALE);
    let amount = |amount: f64| match &measured.along {
        Some(family) => value(family, amount),
        None => degrees(amount),
    };
    let below = top + height + 4.0;
    let cell = LINE * wide as f64;
    for (column, anchor, x) in [
        (0, Anchor::Start, 0.0),
        (columns / 2, Anchor::Middle, (columns / 2) as f64 * cell + cell / 2.0),
        (columns - 1, Anchor::End, width),
    ] {
        // The middle one where there is room for three.
        if (anchor == Anchor::Start || columns > 1) && (anchor != Anchor::Middle || columns > 2) {
            drawing.text((x, below), anchor, Font::Small, FAINT, amount(measured.rotate[column]));
        }
    }
    legend(&mut drawing, below + Font::Small.height() + 4.0);
    Ok(drawing)
}

/// What the colours say.
fn legend(drawing: &mut Drawing, top: f64) {
    const SIDE: f64 = 12.0;
    let mut left = 0.0;
    for (colour, text) in [(BLUE, "stays"), (Rgb::WHITE, "as another image"), (ORANGE, "further")] {
        drawing.rectangle((left, top + 2.0), (SIDE, SIDE), colour);
        drawing.frame((left, top + 2.0), (SIDE, SIDE), 1.0, PALE);
        drawing.text((left + SIDE + 5.0, top), Anchor::Start, Font::Small, FAINT, text);
        left += SIDE + 5.0 + Font::Small.width(text) + 14.0;
    }
}

/// How many of the units are invariant, and which come first.
fn sentence(layer: &LayerMeasures, lines: &[Line]) -> String {
    let invariant = lines.iter().take_while(|(_, _, mean)| *mean < LITTLE).count();
    let shown = match lines.len() == layer.units {
        true => format!("all {} units", lines.len()),
        false => format!("{} of {} units", lines.len(), count(layer.units as u64)),
    };
    let first: Vec<String> = lines.iter().take(3).map(|(unit, ..)| unit.to_string()).collect();
    let few = match invariant {
        0 => "none of them moves less than a quarter as far as another image would move it".to_owned(),
        1 => "one of them moves less than a quarter as far as another image would move it".to_owned(),
        n => format!("{n} of them move less than a quarter as far as another image would move them"),
    };
    format!("{}, {shown}: {few}. From the top: {}.", layer.layer, first.join(", "))
}
