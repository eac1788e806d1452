//! The choice of a routing algorithm, by type or by name.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use super::{BUILT_IN, Route, Routed, Trace, Upper, Votes, dynamic::Dynamic};

/// The most iterations that a text form or a configuration may ask for.
pub const MAX_ITERATIONS: usize = 100;

/// A routing algorithm and its settings: what a layer of capsules is configured with.
///
/// As text: `dynamic:3`, `uniform`, `random:7`; [`forms`] lists all.
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
        self.0.route(votes.into(), &mut Trace::none())
    }

    /// The same as [`forward`](Self::forward), and keeps every iteration, detached from the graph.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with_couplings(&self, votes: impl Into<Votes>) -> Routed {
        let mut trace = Trace::keeping();
        let upper = self.0.route(votes.into(), &mut trace);
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

/// An algorithm's name, and how text becomes the algorithm.
#[derive(Clone, Copy, Debug)]
pub struct Algorithm {
    /// The name: small letters, digits and hyphens.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What may follow behind a colon.
    pub number: Number,
    /// Makes it with that number.
    pub make: fn(u32) -> Routing,
}

/// What a number behind an algorithm's name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// There is none.
    None,
    /// Iterations, 0 to [`MAX_ITERATIONS`]; 3 if left out.
    Iterations,
    /// A seed; 1 if left out.
    Seed,
}

impl Algorithm {
    /// How the algorithm is asked for: `dynamic:N`.
    pub fn form(&self) -> String {
        match self.number {
            Number::None => self.name.to_owned(),
            Number::Iterations => format!("{}:N", self.name),
            Number::Seed => format!("{}:SEED", self.name),
        }
    }

    fn parse(&self, number: Option<&str>) -> Result<Routing, RoutingError> {
        let wrong = |needed| RoutingError::Number {
            form: self.form(),
            found: number.unwrap_or_default().to_owned(),
            needed,
        };
        let parsed = number.map(str::parse::<u32>);
        let number = match (self.number, parsed) {
            (Number::None, None) => 0,
            (Number::None, Some(_)) => return Err(wrong("no number")),
            (Number::Iterations, None) => 3,
            (Number::Iterations, Some(Ok(number))) if number as usize <= MAX_ITERATIONS => number,
            (Number::Iterations, Some(_)) => return Err(wrong("a whole number from 0 to 100")),
            (Number::Seed, None) => 1,
            (Number::Seed, Some(Ok(number))) => number,
            (Number::Seed, Some(Err(_))) => return Err(wrong("a whole number from 0 to 4294967295")),
        };
        Ok((self.make)(number))
    }
}

/// Algorithms from outside this library.
static REGISTERED: RwLock<Vec<Algorithm>> = RwLock::new(Vec::new());

/// Gives an algorithm of your own a name, so that flags, configurations and studies of this process can ask for it.
///
/// # Errors
///
/// If the name is taken, or none that could be asked for.
pub fn register(algorithm: Algorithm) -> Result<(), RoutingError> {
    let name = algorithm.name;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(letters) {
        return Err(RoutingError::BadName(name.to_owned()));
    }
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    let built_in = BUILT_IN.iter().copied().flatten();
    if built_in.chain(registered.iter()).any(|known| known.name == name) {
        return Err(RoutingError::NameTaken(name.to_owned()));
    }
    registered.push(algorithm);
    Ok(())
}

/// Every algorithm that has a name: this library's and those [registered](register).
pub fn algorithms() -> Vec<Algorithm> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    let built_in = BUILT_IN.iter().copied().flatten();
    built_in.chain(registered.iter()).copied().collect()
}

/// How each algorithm is asked for, in one line.
pub fn forms() -> String {
    let forms: Vec<String> = algorithms().iter().map(Algorithm::form).collect();
    forms.join(", ")
}

fn find(name: &str) -> Option<Algorithm> {
    algorithms().into_iter().find(|algorithm| algorithm.name == name)
}

/// The name, and what stands behind the colon.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((name, number)) => (name, Some(number)),
        None => (text, None),
    }
}

/// Why there is no such routing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// A name that no algorithm has.
    #[error("`{0}` is no routing algorithm; there are {list}", list = forms())]
    Unknown(String),
    /// A number that the algorithm can't have.
    #[error("`{found}` behind the colon of {form}: {needed} is needed")]
    Number {
        /// How the algorithm is asked for.
        form: String,
        /// What was given.
        found: String,
        /// What would be right.
        needed: &'static str,
    },
    /// An algorithm without iterations was asked for some.
    #[error("{0} has no iterations to choose")]
    NoIterations(String),
    /// Couplings or a softmax's side were asked of an algorithm that brings its own.
    #[error("{0} brings its own couplings")]
    OwnCouplings(String),
    /// A name that another algorithm has.
    #[error("there is a routing algorithm `{0}` already")]
    NameTaken(String),
    /// A name that no text form could have.
    #[error("`{0}` can't name a routing algorithm; take small letters, digits and hyphens")]
    BadName(String),
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

    #[test]
    fn a_name_is_given_once() {
        let algorithm = |name| Algorithm {
            name,
            about: "for a test",
            number: Number::None,
            make: |_| Routing::default(),
        };
        assert_eq!(
            register(algorithm("dynamic")),
            Err(RoutingError::NameTaken("dynamic".to_owned()))
        );
        assert_eq!(register(algorithm("a:b")), Err(RoutingError::BadName("a:b".to_owned())));
    }
}
