//! Charts of a measure, by angle and by layer.

use crate::axis::Axis;
use crate::curves::{LineChart, Series};
use capsnet_measure::equivariance::{Figure, Measurements, ModelMeasures, Quantity, mean_over_angles};

/// One line a layer over the angles; `None` if nothing can be shown.
pub(super) fn by_angle(quantity: &Quantity, measured: &ModelMeasures, caption: &str) -> Option<LineChart> {
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
        x: Axis::linear("rotation").with_unit("°").with_tick_step(15.0),
        y: axis(quantity),
        series: series.collect(),
    })
}

/// One line a model over its layers, the mean over the angles, with what chance gives; `None` if nothing can be shown.
pub(super) fn by_layer(quantity: &Quantity, report: &Measurements) -> Option<LineChart> {
    let series = report.models.iter().flat_map(|measured| {
        let line = |name: String, figure: Figure| {
            let means = measured.layers.iter().map(|layer| mean_over_angles(layer, figure));
            let points = means.enumerate();
            Series::new(name, points.map(|(at, mean)| (at as f64, mean.unwrap_or(f64::NAN))))
        };
        [
            line(measured.entry.label.clone(), quantity.value),
            line(format!("{}: chance", measured.entry.label), quantity.chance),
        ]
    });
    shown(LineChart {
        title: format!("{} by layer", quantity.title),
        caption: format!("Mean over the angles. {}", numbers_of_layers(report)),
        x: Axis::linear("layer").with_tick_step(1.0),
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

/// "Layers of LeNet-5: 0 input, 1 conv0."
fn numbers_of_layers(report: &Measurements) -> String {
    let of_model = |measured: &ModelMeasures| {
        let layers = measured.layers.iter().enumerate();
        let layers: Vec<String> = layers
            .map(|(number, layer)| format!("{number} {}", layer.layer))
            .collect();
        format!("Layers of {}: {}.", measured.entry.label, layers.join(", "))
    };
    report.models.iter().map(of_model).collect::<Vec<_>>().join(" ")
}
