//! The choice of a routing algorithm, by type or by name.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::named::{find, split};
use super::{Number, Route, Routed, RoutingError, Trace, Upper, Votes, dynamic::Dynamic};

/// A routing algorithm and its settings: what a layer of capsules is configured with.
///
/// As text: `dynamic:3`, `uniform`, `random:7`; [`forms`](super::forms) lists all.
#[derive(Clone)]
pub struct Routing(Arc<dyn Route>);

impl Routing {
    /// Chooses an algorithm.
    pub fn new(algorithm: impl Route) -> Self {
        Self(Arc::new(algorithm))
    }

    /// Dynamic routing with so many iterations, as in the paper.
    pub fn dynamic(iterations: usize) -> Self {
        Self::new(Dynamic {
            iterations,
            ..Dynamic::default()
        })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &dyn Route {
        &*self.0
    }

    /// The algorithm and its settings, if it is of this type.
    pub fn get<R: Route>(&self) -> Option<&R> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }

    /// How often couplings are computed, where that is a setting; else 1.
    pub fn iterations(&self) -> usize {
        self.0.iterations()
    }

    /// Routes votes, `[B, J, I, D]`, to the upper capsules.
    ///
    /// # Panics
    ///
    /// If the algorithm needs the activations of the lower capsules, and there are none.
    pub fn forward(&self, votes: impl Into<Votes>) -> Upper {
        self.0.route(votes.into().complete(&*self.0), &mut Trace::none())
    }

    /// The same as [`forward`](Self::forward), and keeps every iteration, detached from the graph.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with_couplings(&self, votes: impl Into<Votes>) -> Routed {
        let votes = votes.into().complete(&*self.0);
        let mut trace = Trace::keeping(&votes);
        let upper = self.0.route(votes, &mut trace);
        Routed {
            upper,
            iterations: trace.iterations(),
        }
    }

    /// The same algorithm with another number of iterations.
    ///
    /// # Errors
    ///
    /// If it has none to choose, or they are too many.
    pub fn with_iterations(&self, iterations: usize) -> Result<Self, RoutingError> {
        if let Some(mut form) = self.first_form() {
            form.iterations = iterations;
            return Ok(form.into());
        }
        let text = self.to_string();
        let (name, _) = split(&text);
        match find(name) {
            Some(algorithm) if algorithm.number == Number::Iterations => format!("{name}:{iterations}").parse(),
            _ => Err(RoutingError::NoIterations(text)),
        }
    }
}

impl Default for Routing {
    /// Dynamic routing in three iterations.
    fn default() -> Self {
        Self::new(Dynamic::default())
    }
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PartialEq for Routing {
    fn eq(&self, other: &Self) -> bool {
        self.first_form() == other.first_form() && self.to_string() == other.to_string()
    }
}

impl FromStr for Routing {
    type Err = RoutingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = split(text);
        let algorithm = find(name).ok_or_else(|| RoutingError::Unknown(text.to_owned()))?;
        algorithm.parse(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::algorithms;

    #[test]
    fn text_and_back() {
        for algorithm in algorithms() {
            let numbers: &[&str] = match algorithm.number {
                Number::None => &[""],
                Number::Iterations => &[":0", ":3", ":100"],
                Number::Seed => &[":0", ":4294967295"],
            };
            for number in numbers {
                let text = format!("{}{number}", algorithm.name);
                assert_eq!(text.parse::<Routing>().unwrap().to_string(), text);
            }
        }
        for (short, long) in [("dynamic", "dynamic:3"), ("random", "random:1")] {
            assert_eq!(short.parse::<Routing>(), long.parse());
        }
        assert_ne!("dynamic:3".parse::<Routing>(), "dynamic:2".parse());
    }

    #[test]
    fn errors_say_what_is_needed() {
        for (text, needed) in [
            ("", "dynamic:N, dynamic-inputs:N, uniform"),
            ("Uniform", "random:SEED"),
            ("dynamic:", "0 to 100"),
            ("dynamic:101", "0 to 100"),
            ("dynamic:3:4", "0 to 100"),
            ("uniform:3", "no number"),
            ("random:-1", "0 to 4294967295"),
            ("random:4294967296", "random:SEED"),
        ] {
            let error = text.parse::<Routing>().unwrap_err().to_string();
            assert!(error.contains(needed), "{text}: {error}");
        }
    }

    #[test]
    fn only_iterations_change() {
        for (before, after) in [
            ("dynamic:3", "dynamic:5"),
            ("dynamic-inputs:0", "dynamic-inputs:5"),
            ("random:5", "random:5"),
        ] {
            let routing: Routing = before.parse().unwrap();
            let changed = routing.with_iterations(5).unwrap();
            assert_eq!((changed.to_string().as_str(), changed.iterations()), (after, 5));
        }
    }
}
