//! Charts of a measure by angle.

use crate::axis::Axis;
use crate::curves::{LineChart, Series};
use capsnet_measure::Family;
use capsnet_measure::equivariance::{ModelMeasures, Quantity};

/// One line a layer over the angles; `None` if nothing can be shown.
pub(super) fn by_angle(
    quantity: &Quantity,
    measured: &ModelMeasures,
    along: Option<&Family>,
    caption: &str,
) -> Option<LineChart> {
    let series = measured.layers.iter().map(|layer| {
        let points = layer
            .angles
            .iter()
            .map(|at| (at.degrees, (quantity.value)(layer, at).unwrap_or(f64::NAN)));
        Series::new(layer.layer.clone(), points)
    });
    shown(LineChart {
        title: format!("{}: {}", quantity.title, measured.entry.label),
        caption: caption.to_owned(),
        x: match along {
            Some(family) => Axis::linear(family.name.clone()).with_unit(&family.unit),
            None => Axis::linear("rotation").with_unit("°").with_tick_step(15.0),
        },
        y: axis(quantity),
        series: series.collect(),
    })
}

fn axis(quantity: &Quantity) -> Axis {
    let axis = Axis::linear(quantity.title.to_lowercase().replace("r²", "R²")).with_unit(quantity.unit);
    match quantity.level {
        Some((level, label)) => axis.with_reference(level, label),
        None => axis,
    }
}

fn shown(chart: LineChart) -> Option<LineChart> {
    let mut points = chart.series.iter().flat_map(|series| &series.points);
    points.any(|point| point.1.is_finite()).then_some(chart)
}
