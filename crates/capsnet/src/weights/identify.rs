//! Which model a weights file holds, and its tensors under the names that this library has for them.
//!
//! A file of ours says what it is. One of PyTorch's says no more than names and shapes, and the names may be others:
//! all may begin with `module.`, or a LeNet-5 may count its layers from one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use burn::prelude::*;
use capsnet_weights::{NamedTensor, StateDict};

use super::{CONFIG_KEY, Named, config_of};
use crate::Error;
use crate::model::{Architecture, Input};

/// A model that was found in a file.
#[derive(Clone, Debug)]
pub struct Identified<A> {
    /// What it is.
    pub config: A,
    /// Its tensors under the names that this library has for them.
    pub weights: StateDict,
    /// The tensors that have other names in the file: these names, and what they are read as.
    pub renamed: Vec<(String, String)>,
}

/// Finds the model in a weights file: by what the file says, by the names of its tensors without what all of them begin
/// with, or by their shapes, where these fit one model in one way.
///
/// # Errors
///
/// If the metadata is damaged, or the tensors are those of no known model; the error lists them.
pub fn identify<A: Architecture>(weights: StateDict, path: &Path) -> Result<Identified<A>, Error> {
    if weights.metadata.contains_key(CONFIG_KEY) {
        let config = config_of(&weights, path)?;
        let renamed = Vec::new();
        return Ok(Identified {
            config,
            weights,
            renamed,
        });
    }
    let mut bare = weights.clone();
    let mut dropped = String::new();
    loop {
        let read_as = |name: &str| format!("{dropped}{name}");
        if let Some(config) = A::recognise(&bare) {
            let renamed = bare.iter().map(|(name, _)| (read_as(name), name.to_owned()));
            let renamed = renamed.filter(|_| !dropped.is_empty()).collect();
            let weights = bare;
            return Ok(Identified {
                config,
                weights,
                renamed,
            });
        }
        if let Some((config, names)) = by_shapes::<A>(&bare) {
            let weights = bare.with_names(|name| names.get(name).cloned())?;
            let renamed = names.into_iter().map(|(from, to)| (read_as(&from), to)).collect();
            return Ok(Identified {
                config,
                weights,
                renamed,
            });
        }
        let Some(shorter) = bare.without_prefix() else {
            break;
        };
        let first = bare.iter().next().map_or("", |(name, _)| name);
        let length = first.find('.').map_or(0, |point| point + 1);
        dropped.push_str(&first[..length]);
        bare = shorter;
    }
    Err(Error::UnknownModel {
        path: path.to_owned(),
        tensors: described(&weights, &A::usual()),
    })
}

/// The model whose tensors have just these shapes, if all of them differ, and what it calls each tensor of the file.
fn by_shapes<A: Architecture>(weights: &StateDict) -> Option<(A, BTreeMap<String, String>)> {
    let found = names_by_shape(
        weights
            .iter()
            .map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec())),
    )?;
    let models = A::usual().into_iter();
    models
        .filter(|model| shapes(model).len() == weights.len())
        .find_map(|model| {
            inputs(weights, model.input()).into_iter().find_map(|input| {
                let mut model = model.clone();
                model.set_input(input);
                model.validate().ok()?;
                let ours = names_by_shape(shapes(&model).into_iter())?;
                let names = found
                    .iter()
                    .map(|(shape, name)| Some((name.clone(), ours.get(shape)?.clone())));
                Some((model, names.collect::<Option<_>>()?))
            })
        })
}

fn shapes(model: &impl Architecture) -> Vec<(String, Vec<usize>)> {
    model.init(&Device::flex()).shapes()
}

/// None if two have one shape.
fn names_by_shape(tensors: impl Iterator<Item = (String, Vec<usize>)>) -> Option<BTreeMap<Vec<usize>, String>> {
    let mut names = BTreeMap::new();
    for (name, shape) in tensors {
        if names.insert(shape, name).is_some() {
            return None;
        }
    }
    Some(names)
}

/// What the model may have been made for: as many classes as a bias has numbers, the channels of a convolution's input,
/// and the sizes of usual images.
fn inputs(weights: &StateDict, usual: Input) -> Vec<Input> {
    const SIDES: [usize; 5] = [28, 32, 40, 48, 64];
    let mut inputs = vec![usual];
    let shapes = || weights.iter().map(|(_, tensor)| tensor.shape());
    let classes = shapes().filter_map(|shape| match *shape {
        [classes] => Some(classes),
        _ => None,
    });
    for classes in classes {
        for channels in [1, 3] {
            if !shapes().any(|shape| shape.len() == 4 && shape[1] == channels) {
                continue;
            }
            for side in SIDES {
                let mut input = Input { classes, ..usual };
                input.image.channels = channels;
                input.image.height = side;
                input.image.width = side;
                inputs.push(input);
            }
        }
    }
    inputs
}

/// The tensors of a file, and the model that has most of their shapes.
fn described<A: Architecture>(weights: &StateDict, models: &[A]) -> String {
    const SHOWN: usize = 40;
    let shape = |shape: &[usize]| shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
    let mut text = String::new();
    for (name, tensor) in weights.iter().take(SHOWN) {
        // Writing to a string can't fail.
        let _ = write!(text, "\n  {} {}", name.escape_debug(), shape(tensor.shape()));
    }
    if weights.len() > SHOWN {
        let _ = write!(text, "\n  and {} more", weights.len() - SHOWN);
    }
    let common = |model: &A| {
        let mut left: Vec<&[usize]> = weights
            .iter()
            .map(|(_, tensor): (_, &NamedTensor)| tensor.shape())
            .collect();
        let ours = shapes(model);
        let there = ours.iter().filter(|(_, shape)| {
            let found = left.iter().position(|other| other == shape);
            found.map(|place| left.swap_remove(place)).is_some()
        });
        there.count()
    };
    let nearest = models
        .iter()
        .map(|model| (common(model), model))
        .max_by_key(|(count, _)| *count);
    if let Some((count, model)) = nearest.filter(|(count, _)| *count > 1) {
        let _ = write!(text, "\n{} has {count} of these shapes, in", model.title());
        for (name, of) in shapes(model).iter().take(SHOWN) {
            let _ = write!(text, "\n  {name} {}", shape(of));
        }
    }
    text
}
