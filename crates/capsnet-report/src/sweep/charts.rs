//! The curves of a sweep.

use capsnet_measure::{ScoreKind, Sweep, SweepCurve, SweepPoint};

use crate::axis::Axis;
use crate::curves::{LineChart, Series};

/// Accuracy in per cent with bands of its 95 % interval. Title and caption are the caller's.
#[must_use]
pub fn accuracy_chart(sweep: &Sweep) -> LineChart {
    let mut y = Axis::linear("accuracy").with_unit(" %");
    if let Some(chance) = sweep.chance {
        y = y.with_reference(100.0 * chance, "guessing");
    }
    chart(sweep, y, |curve| {
        let ends = curve.points.iter().map(|point| point.score().interval());
        series(curve, |point| Some(100.0 * point.accuracy()))
            .with_band(ends.map(|ends| (100.0 * ends.low, 100.0 * ends.high)))
    })
}

/// The mean of what the models say of the true class, in per cent unless one of them says what may leave 0 to 1; `None`
/// if no model said it.
#[must_use]
pub fn true_class_chart(sweep: &Sweep) -> Option<LineChart> {
    sweep.curves.iter().find(|curve| has_mean(curve))?;
    let scale = true_class_scale(sweep);
    let y = Axis::linear("mean of the true class").with_unit(if scale == 1.0 { "" } else { " %" });
    Some(chart(sweep, y, |curve| {
        series(curve, |point| Some(scale * point.score().mean_true_score?))
    }))
}

/// What a mean of the true class is multiplied by in the chart: 100, per cent, only where all are shares of one.
pub(crate) fn true_class_scale(sweep: &Sweep) -> f64 {
    let mut measured = sweep.curves.iter().filter(|curve| has_mean(curve));
    if measured.all(|curve| curve.true_class.is_share()) {
        100.0
    } else {
        1.0
    }
}

/// Which model's mean of the true class is a mean of what, for a probability and a capsule's length must not be
/// compared unawares: "probability for LeNet-5; capsule length for CapsNet". `None` if no model said it.
#[must_use]
pub fn true_class_meaning(sweep: &Sweep) -> Option<String> {
    let kinds = ScoreKind::ALL.map(|kind| {
        let curves = sweep
            .curves
            .iter()
            .filter(|curve| curve.true_class == kind && has_mean(curve));
        let models: Vec<&str> = curves.map(|curve| curve.model.as_str()).collect();
        (!models.is_empty()).then(|| format!("{} for {}", kind.title(), models.join(", ")))
    });
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    (!kinds.is_empty()).then(|| kinds.join("; "))
}

/// Whether the model said anything of the true class.
pub(super) fn has_mean(curve: &SweepCurve) -> bool {
    curve.points.iter().any(|point| point.score().mean_true_score.is_some())
}

fn chart(sweep: &Sweep, y: Axis, series: impl Fn(&SweepCurve) -> Series) -> LineChart {
    LineChart {
        x: axis(sweep),
        y,
        series: sweep.curves.iter().map(series).collect(),
        ..LineChart::default()
    }
}

fn axis(sweep: &Sweep) -> Axis {
    let family = &sweep.family;
    let is_angle = family.unit == "°";
    let mut axis = Axis::linear(if is_angle || family.unit.is_empty() {
        family.name.clone()
    } else {
        format!("{} ({})", family.name, family.unit)
    });
    if is_angle {
        // A quarter turn takes six steps, whatever the range.
        axis = axis.with_unit("°").with_tick_step(15.0);
    }
    match family.identity {
        Some(value) => axis.with_reference(value, "unchanged"),
        None => axis,
    }
}

fn series(curve: &SweepCurve, height: impl Fn(&SweepPoint) -> Option<f64>) -> Series {
    let height = |point: &SweepPoint| height(point).unwrap_or(f64::NAN);
    let points = curve.points.iter().map(|point| (point.value(), height(point)));
    Series::new(curve.model.clone(), points)
}
