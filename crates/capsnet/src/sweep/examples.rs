//! A few images along a family, as the models saw them, with every model's answer.

use capsnet_data::protocol::Change;
use capsnet_data::transform::Augment;
use capsnet_measure::sweep::Record;
use capsnet_measure::{Example, ExampleRow};

use super::{Planned, Sweep};
use crate::Error;
use crate::attack::attacked_image;
use crate::evaluate::{Options, evaluate_under};

impl Sweep<'_> {
    /// The first `count` images along every family of a record of this sweep, at as many as `values` of its values,
    /// which are spread over them.
    ///
    /// # Errors
    ///
    /// If a model doesn't take the images.
    pub fn example_rows(&self, record: &Record, values: usize, count: usize) -> Result<Vec<Vec<ExampleRow>>, Error> {
        let of_family = |(planned, values): (&Planned, Vec<f64>)| {
            let rows = self.examples(planned, &values, count)?.into_iter().zip(values);
            Ok(rows.map(|(examples, value)| ExampleRow { value, examples }).collect())
        };
        let values = record.sweeps.iter().map(|section| section.sweep.spread(values));
        self.plan.sections().iter().zip(values).map(of_family).collect()
    }

    /// The first `count` images at each of these values of a family: one row a value, one answer a model.
    ///
    /// # Errors
    ///
    /// If a model doesn't take the images.
    ///
    /// # Panics
    ///
    /// If a value is none of the family's in the plan.
    pub fn examples(&self, planned: &Planned, values: &[f64], count: usize) -> Result<Vec<Vec<Example>>, Error> {
        let count = count.min(self.data.len());
        let options = Options {
            range: Some(0..count),
            ..self.options()
        };
        let mut rows = Vec::new();
        for &value in values {
            let change = planned.at(value).expect("a value of the plan");
            let mut evaluations = Vec::new();
            for named in self.models {
                let evaluation = evaluate_under(named.model, self.data, change, &options, self.device, &mut |_| {});
                evaluations.push(evaluation?);
            }
            let example = |index: usize| {
                Ok(Example {
                    shape: self.data.shape(),
                    pixels: self.pixels(change, index)?,
                    truth: self.data.label(index),
                    answers: evaluations.iter().map(|e| e.predictions[index]).collect(),
                })
            };
            rows.push((0..count).map(example).collect::<Result<_, Error>>()?);
        }
        Ok(rows)
    }

    /// An image as the models saw it; of an attack, as the first did.
    fn pixels(&self, change: &Change, index: usize) -> Result<Vec<u8>, Error> {
        match change {
            Change::Transform(pipeline) => Ok(Augment::from(pipeline.clone()).image(self.data, self.seed, 0, index)),
            Change::Corruption(corruption) => Ok(corruption.corrupted(self.data, self.seed).image(index).to_vec()),
            Change::Attack(attack) => match self.models.first() {
                Some(named) => attacked_image(named.model, self.data, index, attack, self.device),
                None => Ok(self.data.image(index).to_vec()),
            },
        }
    }
}
