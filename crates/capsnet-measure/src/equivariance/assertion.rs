//! A claim about a layer that either holds or doesn't: `class_capsules.angular_error < 20`.

use std::fmt;
use std::str::FromStr;

use super::quantity::{QUANTITIES, Quantity, mean_over_angles};
use super::{AngleMeasures, LayerMeasures, Measurements, ModelMeasures};

/// A measure of a layer against a number, at every angle or in the mean over angles.
///
/// Written `[LAYER.]MEASURE < NUMBER`, or `mean([LAYER.]MEASURE) < NUMBER`; the comparison may also be `<=`, `>` or
/// `>=`. Without a layer it is of the last one that has the measure. Angles that turn nothing are left out.
///
/// ```
/// use capsnet_measure::equivariance::Assertion;
///
/// let assertion: Assertion = "mean(class_capsules.angular_error) < 20".parse()?;
/// assert_eq!(assertion.to_string(), "mean(class_capsules.angular_error) < 20");
/// # Ok::<(), capsnet_measure::equivariance::AssertionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    layer: Option<String>,
    measure: &'static str,
    mean: bool,
    comparison: Comparison,
    limit: f64,
}

/// Text that is no assertion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {reason}; write [LAYER.]MEASURE < NUMBER, or mean([LAYER.]MEASURE) < NUMBER, with <, <=, > or >=")]
pub struct AssertionError {
    text: String,
    reason: String,
}

/// What speaks against an assertion.
#[derive(Clone, Debug, PartialEq)]
pub enum Broken {
    /// The model has no layer with this measure.
    Missing,
    /// The figure that is farthest on the wrong side.
    Figure {
        /// The layer.
        layer: String,
        /// The figure.
        value: f64,
        /// Where it is the figure of one angle, that angle in degrees, or the value of another family.
        degrees: Option<f64>,
        /// Behind the angle.
        unit: &'static str,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longer ones first, for each begins with a shorter one.
const COMPARISONS: [(&str, Comparison); 4] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Comparison {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
        }
    }

    /// The greater, the worse: how far a value is on the wrong side, or on the right one where negative.
    fn excess(self, value: f64, limit: f64) -> f64 {
        match self {
            Self::Less | Self::AtMost => value - limit,
            Self::More | Self::AtLeast => limit - value,
        }
    }
}

impl Assertion {
    /// Looks for what speaks against the assertion in a model's measures.
    ///
    /// # Errors
    ///
    /// The worst figure, if it breaks the assertion; or that there is none, which is no proof of anything.
    pub fn check(&self, model: &ModelMeasures) -> Result<(), Broken> {
        let quantity = quantity(self.measure).expect("an assertion is of a known measure");
        let named = |layer: &&LayerMeasures| self.layer.as_ref().is_none_or(|name| *name == layer.layer);
        let figures = |layer: &LayerMeasures| self.figures(layer, quantity);
        let layers = model.layers.iter().rev().filter(named);
        let found = layers
            .map(|layer| (layer, figures(layer)))
            .find(|(_, figures)| !figures.is_empty());
        let (layer, figures) = found.ok_or(Broken::Missing)?;
        let excess = |figure: &(f64, Option<f64>)| self.comparison.excess(figure.0, self.limit);
        let worst = figures.into_iter().max_by(|a, b| excess(a).total_cmp(&excess(b)));
        match worst {
            Some((value, degrees)) if !self.comparison.holds(value, self.limit) => Err(Broken::Figure {
                layer: layer.layer.clone(),
                value,
                degrees,
                unit: if layer.angles.iter().all(|at| at.neutral.is_none()) {
                    "°"
                } else {
                    ""
                },
            }),
            _ => Ok(()),
        }
    }

    /// The figures that it is about, each with its angle.
    fn figures(&self, layer: &LayerMeasures, quantity: &Quantity) -> Vec<(f64, Option<f64>)> {
        if self.mean {
            let mean = mean_over_angles(layer, quantity.value);
            return mean.map(|mean| (mean, None)).into_iter().collect();
        }
        let turned = layer.angles.iter().filter(|at| at.moves());
        let figure = |at: &AngleMeasures| Some(((quantity.value)(layer, at)?, Some(at.degrees)));
        turned.filter_map(figure).collect()
    }
}

/// All that speaks against assertions, each of every model, in sentences.
#[must_use]
pub fn failures(assertions: &[Assertion], measured: &Measurements) -> Vec<String> {
    let of = |assertion: &Assertion, model: &ModelMeasures| {
        let figure = assertion.check(model).err()?;
        Some(format!("{assertion} doesn't hold for {}: {figure}", model.entry.label))
    };
    let pairs = assertions
        .iter()
        .flat_map(|assertion| measured.models.iter().map(move |model| (assertion, model)));
    pairs.filter_map(|(assertion, model)| of(assertion, model)).collect()
}

fn quantity(name: &str) -> Option<&'static Quantity> {
    QUANTITIES.iter().find(|quantity| quantity.name == name)
}

impl FromStr for Assertion {
    type Err = AssertionError;

    fn from_str(text: &str) -> Result<Self, AssertionError> {
        let fault = |reason: String| AssertionError {
            text: text.to_owned(),
            reason,
        };
        let found = COMPARISONS
            .iter()
            .find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
        let ((left, right), comparison) = found.ok_or_else(|| fault("there is no comparison".to_owned()))?;
        let number = right.trim();
        let limit: f64 = number.parse().map_err(|_| fault(format!("`{number}` is no number")))?;
        if !limit.is_finite() {
            return Err(fault(format!("`{number}` is no finite number")));
        }
        let left = left.trim();
        let inner = left.strip_prefix("mean(").and_then(|rest| rest.strip_suffix(')'));
        let name = inner.unwrap_or(left).trim();
        // Layers have points in their names, measures don't.
        let (layer, measure) = match name.rsplit_once('.') {
            Some((layer, measure)) => (Some(layer.to_owned()), measure),
            None => (None, name),
        };
        let quantity = quantity(measure).ok_or_else(|| {
            let known = QUANTITIES.map(|quantity| quantity.name).join(", ");
            fault(format!("there is no measure `{measure}`, but {known}"))
        })?;
        Ok(Self {
            layer,
            measure: quantity.name,
            mean: inner.is_some(),
            comparison,
            limit,
        })
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = self.layer.as_ref().map_or(String::new(), |layer| format!("{layer}."));
        let name = format!("{layer}{}", self.measure);
        let sign = COMPARISONS
            .iter()
            .find(|(_, comparison)| *comparison == self.comparison);
        let sign = sign.map_or("", |(sign, _)| sign);
        match self.mean {
            true => write!(f, "mean({name}) {sign} {}", self.limit),
            false => write!(f, "{name} {sign} {}", self.limit),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "there is no layer with such a figure"),
            Self::Figure {
                layer,
                value,
                degrees,
                unit,
            } => {
                write!(f, "{layer} has {value:.4}")?;
                match degrees {
                    Some(degrees) => write!(f, " at {degrees}{unit}"),
                    None => write!(f, " in the mean over angles"),
                }
            }
        }
    }
}
