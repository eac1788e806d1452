//! What a sweep varies, checked before anything is read or measured.

use capsnet_data::protocol::{Change, Family, Sweep};
use capsnet_data::transform::{Resample, SpecError};

/// Families of transforms and attacks with the values to measure at.
#[derive(Clone, Debug)]
pub struct Plan {
    sections: Vec<Planned>,
    resample: Resample,
}

/// A family with what is done to images at each of its values.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What was asked for.
    pub asked: Sweep,
    /// The values in order, each with what is done at it.
    pub steps: Vec<(f64, Change)>,
}

/// A value that is none of the family's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{family}: {source}")]
pub struct PlanError {
    /// The family.
    pub family: Family,
    /// What is wrong with the value.
    pub source: SpecError,
}

impl Plan {
    /// A plan of such sweeps, pixels being read by `resample`.
    ///
    /// # Errors
    ///
    /// The first value that is none of its family's.
    pub fn new(asked: Vec<Sweep>, resample: Resample) -> Result<Self, PlanError> {
        let planned = |asked: Sweep| match asked.changes(resample) {
            Ok(steps) => Ok(Planned { asked, steps }),
            Err(source) => Err(PlanError {
                family: asked.family,
                source,
            }),
        };
        let sections = asked.into_iter().map(planned).collect::<Result<_, _>>()?;
        Ok(Self { sections, resample })
    }

    /// The families, in order.
    pub fn sections(&self) -> &[Planned] {
        &self.sections
    }

    /// How affine transforms read between the pixels.
    pub fn resample(&self) -> Resample {
        self.resample
    }

    /// The values of all families together.
    pub fn points(&self) -> usize {
        self.sections.iter().map(|planned| planned.steps.len()).sum()
    }
}

impl Planned {
    /// The family as results know it.
    pub fn family(&self) -> capsnet_measure::Family {
        crate::equivariance::named(self.asked.family)
    }

    /// What is done at a value that is one of its own.
    pub fn at(&self, value: f64) -> Option<&Change> {
        self.steps.iter().find(|step| step.0 == value).map(|step| &step.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_transform_is_refused_with_its_family() {
        let plan = |text: &str| Plan::new(vec![text.parse().unwrap()], Resample::Nearest);
        assert_eq!(plan("scale=0.8..1.2:0.1").unwrap().points(), 5);
        let error = plan("shift-x=0..1:0.5").unwrap_err();
        assert_eq!(error.family, Family::ShiftX);
        assert!(error.to_string().starts_with("shift-x: "), "{error}");
    }
}
