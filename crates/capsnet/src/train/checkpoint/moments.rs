//! Whether an optimiser's moments are those of a network.

use std::collections::BTreeMap;

use burn::module::{ModuleVisitor, Param};
use burn::prelude::*;

use super::{Average, Moments};

/// What is wrong with the moments of a network's parameters; `all` of them must be there, if so asked.
pub(super) fn fault(network: &impl Module, moments: &BTreeMap<String, Moments>, all: bool) -> Option<String> {
    let mut look = Look {
        path: String::new(),
        elements: BTreeMap::new(),
    };
    network.visit(&mut look);
    for (name, moments) in moments {
        let Some(&(elements, _)) = look.elements.get(name) else {
            return Some(format!("it has moments of `{name}`, which the model doesn't have"));
        };
        for found in [&moments.first, &moments.second].map(|moment| moment.dims()[0]) {
            if found != elements {
                return Some(format!("it has {found} moments of the {elements} values of `{name}`"));
            }
        }
    }
    let missing = |(name, (_, trained)): &(&String, &(usize, bool))| *trained && !moments.contains_key(*name);
    let missing = look.elements.iter().find(missing).filter(|_| all);
    missing.map(|(name, _)| format!("it has no moments of `{name}`"))
}

/// What is wrong with the average of a network's parameters: it is of all that are trained, or of none yet.
pub(super) fn fault_of_average(network: &impl Module, average: &Average) -> Option<String> {
    let mut look = Look {
        path: String::new(),
        elements: BTreeMap::new(),
    };
    network.visit(&mut look);
    let trained = look.elements.into_iter().filter(|(_, (_, trained))| *trained);
    let expected: BTreeMap<String, usize> = trained.map(|(name, (elements, _))| (name, elements)).collect();
    let found = average
        .weights
        .iter()
        .map(|(name, weights)| (name.clone(), weights.dims()[0]));
    let found: BTreeMap<String, usize> = found.collect();
    let fits = found.is_empty() || found == expected;
    (!fits).then(|| "its averaged weights are not those of the model".to_owned())
}

/// Values of each parameter, by its path in the module, and whether they are trained.
struct Look {
    path: String,
    elements: BTreeMap<String, (usize, bool)>,
}

impl ModuleVisitor for Look {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    fn exit_module(&mut self, name: &str, _container_type: &str) {
        self.path.truncate(self.path.len() - name.len());
        // The point before it, unless it was the first name.
        self.path.pop();
    }

    fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
        let trained = param.val().is_require_grad();
        let elements = param.lazy_shape().num_elements();
        self.elements.insert(self.path.clone(), (elements, trained));
    }
}
