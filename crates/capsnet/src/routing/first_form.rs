//! The form in which `config.toml` and weights name dynamic routing and the couplings that replace it.
//!
//! `{ iterations = 3, softmax_over = "outputs" }`, with `couplings = "uniform"` or `couplings = { random = 7 }` where
//! they don't come from agreement. It is older than text forms, and what could be said in it is still written in it, so
//! that files don't change; other algorithms are written as text.

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dynamic::Dynamic;
use super::random::Random;
use super::uniform::Uniform;
use super::{CouplingsOver, Routing, RoutingError, forms};

/// Dynamic routing, or couplings that replace it, with all that can be said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstForm {
    /// The number of iterations `r`. The paper uses 3; 0 and 1 both mean equal couplings.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    #[serde(with = "Over")]
    pub softmax_over: CouplingsOver,
    /// Where couplings come from.
    #[serde(default, skip_serializing_if = "Couplings::is_agreement")]
    pub couplings: Couplings,
}

/// Says how the kernels' type is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "CouplingsOver", rename_all = "lowercase")]
enum Over {
    Outputs,
    Inputs,
}

/// Where couplings come from. As text: `agreement`, `uniform`, `random` or `random:SEED`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Couplings {
    /// From the agreement of each vote with the output: dynamic routing.
    #[default]
    Agreement,
    /// All equal.
    Uniform,
    /// Drawn once from the seed.
    Random(u32),
}

impl Couplings {
    fn is_agreement(&self) -> bool {
        *self == Couplings::Agreement
    }
}

impl From<FirstForm> for Routing {
    fn from(form: FirstForm) -> Self {
        let instead_of = Dynamic {
            iterations: form.iterations,
            couplings_over: form.softmax_over,
        };
        match form.couplings {
            Couplings::Agreement => Routing::new(instead_of),
            Couplings::Uniform => Routing::new(Uniform { instead_of }),
            Couplings::Random(seed) => Routing::new(Random { seed, instead_of }),
        }
    }
}

impl Routing {
    /// The settings of dynamic routing or of the couplings that replace it; `None` for any other algorithm.
    pub fn first_form(&self) -> Option<FirstForm> {
        let (dynamic, couplings) = if let Some(dynamic) = self.get::<Dynamic>() {
            (dynamic, Couplings::Agreement)
        } else if let Some(uniform) = self.get::<Uniform>() {
            (&uniform.instead_of, Couplings::Uniform)
        } else if let Some(random) = self.get::<Random>() {
            (&random.instead_of, Couplings::Random(random.seed))
        } else {
            return None;
        };
        Some(FirstForm {
            iterations: dynamic.iterations,
            softmax_over: dynamic.couplings_over,
            couplings,
        })
    }

    /// The same with couplings from elsewhere.
    ///
    /// # Errors
    ///
    /// If this is neither dynamic routing nor couplings that replace it.
    pub fn with_couplings(&self, couplings: Couplings) -> Result<Self, RoutingError> {
        let form = self
            .first_form()
            .ok_or_else(|| RoutingError::OwnCouplings(self.to_string()))?;
        Ok(FirstForm { couplings, ..form }.into())
    }

    /// The same with couplings that sum to one over other capsules.
    ///
    /// # Errors
    ///
    /// If this is neither dynamic routing nor couplings that replace it.
    pub fn with_couplings_over(&self, softmax_over: CouplingsOver) -> Result<Self, RoutingError> {
        let form = self
            .first_form()
            .ok_or_else(|| RoutingError::OwnCouplings(self.to_string()))?;
        Ok(FirstForm { softmax_over, ..form }.into())
    }
}

impl Serialize for Routing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.first_form() {
            Some(form) => form.serialize(serializer),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Routing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherForm;
        impl<'de> Visitor<'de> for EitherForm {
            type Value = Routing;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a routing algorithm: {}", forms())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Routing, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Routing, A::Error> {
                FirstForm::deserialize(MapAccessDeserializer::new(map)).map(Routing::from)
            }
        }
        deserializer.deserialize_any(EitherForm)
    }
}

/// Text that names no couplings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no couplings; give agreement, uniform, random or random:SEED")]
pub struct CouplingsError(String);

impl FromStr for Couplings {
    type Err = CouplingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "agreement" => Ok(Couplings::Agreement),
            "uniform" => Ok(Couplings::Uniform),
            "random" => Ok(Couplings::Random(1)),
            _ => text
                .strip_prefix("random:")
                .and_then(|seed| seed.parse().ok())
                .map(Couplings::Random)
                .ok_or_else(|| CouplingsError(text.to_owned())),
        }
    }
}

impl fmt::Display for Couplings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Couplings::Agreement => f.write_str("agreement"),
            Couplings::Uniform => f.write_str("uniform"),
            Couplings::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn couplings_are_text_and_back() {
        for text in ["agreement", "uniform", "random:1", "random:4294967295"] {
            assert_eq!(text.parse::<Couplings>().unwrap().to_string(), text);
        }
        assert_eq!("random".parse(), Ok(Couplings::Random(1)));
        for text in ["", "random:", "random:-1", "random:4294967296", "Uniform"] {
            let error = text.parse::<Couplings>().unwrap_err().to_string();
            assert!(error.contains("random:SEED"), "{error}");
        }
    }

    /// Byte for byte: these stand in run folders and weights.
    #[test]
    fn files_from_before_text_forms_stay_as_they_are() {
        for (json, text) in [
            (r#"{"iterations":3,"softmax_over":"outputs"}"#, "dynamic:3"),
            (r#"{"iterations":0,"softmax_over":"inputs"}"#, "dynamic-inputs:0"),
            (
                r#"{"iterations":4,"softmax_over":"outputs","couplings":"uniform"}"#,
                "uniform",
            ),
            (
                r#"{"iterations":3,"softmax_over":"inputs","couplings":{"random":2}}"#,
                "random-inputs:2",
            ),
        ] {
            let routing: Routing = serde_json::from_str(json).unwrap();
            assert_eq!(routing.to_string(), text);
            assert_eq!(serde_json::to_string(&routing).unwrap(), json);
        }
    }

    #[test]
    fn text_forms_are_read_too() {
        let read = |json: &str| serde_json::from_str::<Routing>(json);
        assert_eq!(read(r#""random:7""#).unwrap(), "random:7".parse().unwrap());
        for (json, needed) in [
            (r#""agreement""#, "dynamic:N"),
            (r#"{"iterations":3}"#, "softmax_over"),
            (r#"{"iterations":3,"softmax_over":"both"}"#, "outputs"),
            ("3", "a routing algorithm"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(needed), "{json}: {error}");
        }
    }

    /// What replaces dynamic routing remembers it.
    #[test]
    fn couplings_are_replaced_and_put_back() {
        let routing: Routing = "dynamic-inputs:4".parse().unwrap();
        let random = routing.with_couplings(Couplings::Random(3)).unwrap();
        assert_eq!(random.to_string(), "random-inputs:3");
        assert_eq!(random.with_couplings(Couplings::Agreement).unwrap(), routing);
        let outputs = routing.with_couplings_over(CouplingsOver::Outputs).unwrap();
        assert_eq!(outputs.to_string(), "dynamic:4");
    }
}
