//! Compares the tensors of a file with those that a model expects, and tells every difference at
//! once.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::shown;
use crate::state_dict::NamedTensor;

/// A tensor that is there, in another shape than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongShape {
    /// Name of the tensor.
    pub name: String,
    /// Shape that the model has.
    pub expected: Vec<usize>,
    /// Shape that the file has.
    pub found: Vec<usize>,
}

/// All differences between the tensors of a file and those of a model, each list in the order of
/// the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mismatch {
    /// Tensors that the model has and the file lacks.
    pub missing: Vec<String>,
    /// Tensors that the file has and the model lacks.
    pub extra: Vec<String>,
    /// Tensors that both have, in different shapes.
    pub wrong_shape: Vec<WrongShape>,
}

impl Mismatch {
    /// Whether file and model agree.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.wrong_shape.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("does not fit the model; is it of another model, variant or configuration?")?;
        write_list(formatter, "missing", &self.missing, |name| shown(name))?;
        write_list(formatter, "extra", &self.extra, |name| shown(name))?;
        if self.missing.is_empty() && self.wrong_shape.is_empty() {
            formatter.write_str("; `capsnet convert --rename NAME=` leaves a tensor out")?;
        }
        write_list(formatter, "wrong shape", &self.wrong_shape, |wrong| {
            format!(
                "{} is {:?}, the model has {:?}",
                shown(&wrong.name),
                wrong.found,
                wrong.expected
            )
        })
    }
}

/// One line for a kind of difference. A hostile file can have thousands of names: the message stops
/// at 50 of them.
fn write_list<T>(
    formatter: &mut fmt::Formatter<'_>,
    kind: &str,
    items: &[T],
    describe: impl Fn(&T) -> String,
) -> fmt::Result {
    const SHOWN: usize = 50;
    if items.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = items.iter().take(SHOWN).map(describe).collect();
    write!(formatter, "\n  {kind} ({}): {}", items.len(), listed.join("; "))?;
    if items.len() > SHOWN {
        write!(formatter, "; and {} more", items.len() - SHOWN)?;
    }
    Ok(())
}

/// Everything in which `found` differs from `expected` names and shapes.
pub(crate) fn compare(found: &BTreeMap<String, NamedTensor>, expected: &[(String, Vec<usize>)]) -> Mismatch {
    let expected: BTreeMap<&str, &[usize]> = expected
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    let mut mismatch = Mismatch::default();
    for (&name, &shape) in &expected {
        match found.get(name) {
            None => mismatch.missing.push(name.to_owned()),
            Some(tensor) if tensor.shape() != shape => mismatch.wrong_shape.push(WrongShape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: tensor.shape().to_vec(),
            }),
            Some(_) => {}
        }
    }
    mismatch.extra = found
        .keys()
        .filter(|name| !expected.contains_key(name.as_str()))
        .cloned()
        .collect();
    mismatch
}

#[cfg(test)]
mod tests {
    use crate::{NamedTensor, Problem, StateDict, TensorValues};

    fn state(shapes: &[(&str, &[usize])]) -> StateDict {
        let mut state = StateDict::new();
        for (name, shape) in shapes {
            let values = TensorValues::F32(vec![0.0; shape.iter().product()]);
            state
                .insert(*name, NamedTensor::new(shape.to_vec(), values).unwrap())
                .unwrap();
        }
        state
    }

    fn expect(shapes: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        shapes
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()))
            .collect()
    }

    #[test]
    fn agreement_in_any_order_passes() {
        let state = state(&[("a", &[2, 3]), ("b", &[])]);
        state.check(&expect(&[("b", &[]), ("a", &[2, 3])])).unwrap();
    }

    #[test]
    fn all_differences_are_told_at_once() {
        let state = state(&[("a", &[2, 3]), ("b", &[4]), ("x", &[1]), ("y", &[1])]);
        let error = state
            .check(&expect(&[("a", &[3, 2]), ("b", &[4]), ("c", &[1]), ("d", &[1])]))
            .unwrap_err();
        let message = error.to_string();
        assert_eq!(
            message,
            "state dict in memory: does not fit the model; \
             is it of another model, variant or configuration?\
             \n  missing (2): c; d\
             \n  extra (2): x; y\
             \n  wrong shape (1): a is [2, 3], the model has [3, 2]"
        );
        let Problem::Mismatch(mismatch) = error.problem else {
            panic!("{message}")
        };
        assert_eq!(mismatch.missing, ["c", "d"]);
    }

    #[test]
    fn the_same_number_of_elements_in_another_shape_is_a_difference() {
        assert!(state(&[("a", &[1])]).check(&expect(&[("a", &[])])).is_err());
    }

    #[test]
    fn a_message_stays_short_however_many_names_there_are() {
        let names: Vec<String> = (0..1000).map(|number| format!("tensor{number:04}")).collect();
        let shapes: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), &[1_usize][..])).collect();
        let message = state(&shapes).check(&[]).unwrap_err().to_string();
        let end = "tensor0049; and 950 more; `capsnet convert --rename NAME=` leaves a tensor out";
        assert!(message.ends_with(end), "{message}");
    }
}
