//! The curves of a sweep.

use super::{Sweep, SweepCurve, SweepPoint, TrueClass};
use crate::axis::Axis;
use crate::curves::{LineChart, Series};

impl Sweep {
    /// Accuracy in per cent with bands of its 95 % interval. Title and caption are the caller's.
    #[must_use]
    pub fn accuracy_chart(&self) -> LineChart {
        let mut y = Axis::linear("accuracy").with_unit(" %");
        if let Some(chance) = self.chance {
            y = y.with_reference(100.0 * chance, "guessing");
        }
        self.chart(y, |curve| {
            let ends = curve.points.iter().map(SweepPoint::interval);
            curve
                .series(|point| Some(point.accuracy()))
                .with_band(ends.map(|ends| (100.0 * ends.low, 100.0 * ends.high)))
        })
    }

    /// The mean of what the models say of the true class, in per cent; `None` if no model said it.
    #[must_use]
    pub fn true_class_chart(&self) -> Option<LineChart> {
        let mut points = self.curves.iter().flat_map(|curve| &curve.points);
        points.any(|point| point.mean_true_class().is_some()).then(|| {
            let y = Axis::linear("mean of the true class").with_unit(" %");
            self.chart(y, |curve| curve.series(SweepPoint::mean_true_class))
        })
    }

    /// Which model's mean of the true class is a mean of what, for a probability and a capsule's length must not be
    /// compared unawares: "probability for LeNet-5; capsule length for CapsNet". `None` if no model said it.
    #[must_use]
    pub fn true_class_meaning(&self) -> Option<String> {
        let kinds = TrueClass::ALL.map(|kind| {
            let curves = self.curves.iter().filter(|curve| {
                let is_measured = curve.points.iter().any(|point| point.mean_true_class().is_some());
                curve.true_class == kind && is_measured
            });
            let models: Vec<&str> = curves.map(|curve| curve.model.as_str()).collect();
            (!models.is_empty()).then(|| format!("{} for {}", kind.title(), models.join(", ")))
        });
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        (!kinds.is_empty()).then(|| kinds.join("; "))
    }

    fn chart(&self, y: Axis, series: impl Fn(&SweepCurve) -> Series) -> LineChart {
        LineChart {
            x: self.axis(),
            y,
            series: self.curves.iter().map(series).collect(),
            ..LineChart::default()
        }
    }

    fn axis(&self) -> Axis {
        let family = &self.family;
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
}

impl SweepCurve {
    fn series(&self, share: impl Fn(&SweepPoint) -> Option<f64>) -> Series {
        let percent = |point: &SweepPoint| 100.0 * share(point).unwrap_or(f64::NAN);
        Series::new(
            self.model.clone(),
            self.points.iter().map(|point| (point.value(), percent(point))),
        )
    }
}
