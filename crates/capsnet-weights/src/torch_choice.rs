//! Which dict of a checkpoint is the state dict.
//!
//! Training scripts save a state dict by itself, or within a dict beside epochs, optimisers, schedulers and scores,
//! under names of their own, or in a tuple or a list. Here it is the one dict of tensors under any name; where there
//! are several, the one under a name that stands for a model. What lies beside it is passed over.

use std::collections::HashSet;

use crate::error::{Problem, shown};
use crate::pickle::{Heap, Value};

/// Names under which training scripts keep the state dict.
const WRAPPERS: [&str; 9] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "module",
    "weights",
    "params",
];

/// Dicts within dicts that are looked into.
const DEEPEST: usize = 8;

/// What lies beside a dict, name and kind.
type Beside<'a> = Vec<(&'a str, &'static str)>;

/// A dict that was chosen.
pub(crate) struct Choice<'a> {
    /// Its position in the heap.
    pub dict: usize,
    /// What lies beside it.
    pub beside: Beside<'a>,
}

/// Finds the state dict in the value that a pickle has built.
pub(crate) fn state_dict<'a>(heap: &Heap<'a>, root: Value<'a>) -> Result<Choice<'a>, Problem> {
    let tensors = Survey::of(heap);
    let (root, beside) = match root {
        Value::Dict(root) => (root, Vec::new()),
        Value::Tuple(tuple) => tensors.only_dict_of(&heap.tuples[tuple], root)?,
        Value::List(list) => tensors.only_dict_of(&heap.lists[list], root)?,
        _ => return Err(no_state_dict(root.kind())),
    };
    let mut choice = Choice { dict: root, beside };
    // A dict may hold itself.
    let mut seen = HashSet::from([root]);
    for _ in 0..DEEPEST {
        let next = step(heap, &tensors, choice.dict)?;
        let entries = &heap.dicts[choice.dict];
        let beside = entries.iter().filter_map(|&(key, value)| match (key, value) {
            (Value::Str(_), Value::Dict(dict)) if Some(dict) == next => None,
            (Value::Str(_), Value::Tensor(_)) if next.is_none() => None,
            (Value::Str(name), value) => Some((name, value.kind())),
            _ => None,
        });
        choice.beside.extend(beside);
        match next {
            Some(dict) if seen.insert(dict) => choice.dict = dict,
            _ => return Ok(choice),
        }
    }
    Ok(choice)
}

fn no_state_dict(found: &str) -> Problem {
    let found = found.to_owned();
    Problem::NotAStateDict { found }
}

/// The dict within this one to go on with; none if this one is the state dict, or nothing is.
fn step(heap: &Heap<'_>, survey: &Survey, dict: usize) -> Result<Option<usize>, Problem> {
    let entries = &heap.dicts[dict];
    let within = |deep: bool| {
        let holders = if deep { &survey.deep } else { &survey.direct };
        entries.iter().filter_map(move |&(key, value)| match (key, value) {
            (Value::Str(name), Value::Dict(dict)) if holders[dict] => Some((name, dict)),
            _ => None,
        })
    };
    let models: Vec<_> = within(true).filter(|(name, _)| WRAPPERS.contains(name)).collect();
    let others: Vec<_> = within(false).collect();
    let tensors = || {
        entries
            .iter()
            .filter(|(key, value)| matches!(key, Value::Str(_)) && is_tensor(*value))
    };
    let one_of = |found: &[(&str, usize)]| match *found {
        [] => Ok(None),
        [(_, dict)] => Ok(Some(dict)),
        [(first, _), (second, _), ..] => {
            let names = format!("(`{}`, `{}`)", shown(first), shown(second));
            Err(no_state_dict(&format!("more than one state dict {names}")))
        }
    };
    if !models.is_empty() {
        return one_of(&models);
    }
    // A lone score beside the weights is no state dict, though PyTorch may keep it as a tensor.
    let scores_only = tensors().all(|&(_, value)| match value {
        Value::Tensor(tensor) => heap.tensors[tensor].is_scalar(heap),
        _ => false,
    });
    if tensors().next().is_some() && !(scores_only && others.len() == 1) {
        return Ok(None);
    }
    if !others.is_empty() {
        return one_of(&others);
    }
    one_of(&within(true).collect::<Vec<_>>())
}

/// Which dicts have tensors, asked once for all of them: a file may name the same large dict thousands of times.
struct Survey {
    /// Under names of their own.
    direct: Vec<bool>,
    /// Or in a dict within them, or within that.
    deep: Vec<bool>,
}

impl Survey {
    fn of(heap: &Heap<'_>) -> Self {
        let any = |test: &dyn Fn(Value<'_>) -> bool| -> Vec<bool> {
            let named = |&(key, value): &(Value<'_>, _)| matches!(key, Value::Str(_)) && test(value);
            heap.dicts.iter().map(|entries| entries.iter().any(named)).collect()
        };
        let direct = any(&is_tensor);
        let mut deep = direct.clone();
        for _ in 1..DEEPEST {
            deep = any(&|value| match value {
                Value::Dict(dict) => deep[dict],
                value => is_tensor(value),
            });
        }
        Self { direct, deep }
    }

    /// The only dict with tensors among what a tuple or a list holds, and what lies beside it.
    fn only_dict_of<'a>(&self, held: &[Value<'a>], whole: Value<'a>) -> Result<(usize, Beside<'a>), Problem> {
        let is = |value: &&Value<'_>| matches!(value, Value::Dict(dict) if self.deep[*dict]);
        let (with, without): (Vec<_>, Vec<_>) = held.iter().partition(is);
        match with[..] {
            [Value::Dict(dict)] => Ok((
                dict,
                without.into_iter().map(|value| ("an item", value.kind())).collect(),
            )),
            [] => Err(no_state_dict(whole.kind())),
            _ => Err(no_state_dict(&format!("{} of more than one state dict", whole.kind()))),
        }
    }
}

fn is_tensor(value: Value<'_>) -> bool {
    match value {
        Value::Tensor(_) => true,
        Value::Opaque(kind) => kind.is_tensor(),
        _ => false,
    }
}
