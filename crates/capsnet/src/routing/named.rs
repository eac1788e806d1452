//! Routing algorithms by name: those of the list, and those registered.

use std::sync::{PoisonError, RwLock};

use super::{BUILT_IN, Routing};

/// The most iterations that a text form or a configuration may ask for.
pub const MAX_ITERATIONS: usize = 100;

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

    pub(super) fn parse(&self, number: Option<&str>) -> Result<Routing, RoutingError> {
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

pub(super) fn find(name: &str) -> Option<Algorithm> {
    algorithms().into_iter().find(|algorithm| algorithm.name == name)
}

/// The name, and what stands behind the colon.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
