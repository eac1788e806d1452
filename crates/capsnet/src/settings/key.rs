//! Setting one key of any configuration that serde writes: a dotted path, a value, and what is wrong with either.
//!
//! The configuration is written as a TOML table, changed there and read back, so that a key means here what it means in
//! a run's `config.toml`, and whatever its types refuse is refused here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::value::Datetime;
use toml::{Table, Value};

/// A key to set, or to leave out where there is no value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Dotted: `model.routing.iterations`.
    pub key: String,
    /// `None` leaves an optional key out.
    pub value: Option<Value>,
}

impl Change {
    /// Sets a key.
    pub(super) fn to(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            key: key.into(),
            value: Some(value.into()),
        }
    }

    /// Leaves a key out.
    pub(super) fn without(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: None,
        }
    }
}

/// What is wrong with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The configuration has no such key.
    NoSuchKey,
    /// The key can't have this value, and why.
    Value(String),
}

/// The configuration with all `changes` made at once; the first of them is the one that a refusal is about.
///
/// # Errors
///
/// If the configuration has no such key, or the key can't have such a value.
pub(super) fn set<C: Serialize + DeserializeOwned>(config: &C, changes: &[Change]) -> Result<C, Refusal> {
    let before = table(config).map_err(Refusal::Value)?;
    let Some(first) = changes.first() else {
        return Err(Refusal::NoSuchKey);
    };
    let attempt = |changes: &[Change]| -> Result<C, toml::de::Error> {
        let mut table = before.clone();
        for change in changes {
            put(&mut table, &change.key, change.value.as_ref());
        }
        table.try_into()
    };
    // Serde passes over a key that a structure doesn't have, but no field takes a date.
    let passed_over = || attempt(&[Change::to(&first.key, Value::Datetime(any_date()))]).is_ok();
    let there = get(&before, &first.key);
    match attempt(changes) {
        Ok(config) => {
            let after = table(&config).map_err(Refusal::Value)?;
            if get(&after, &first.key).is_none() && passed_over() {
                return Err(Refusal::NoSuchKey);
            }
            Ok(config)
        }
        Err(error) if there.is_none() && (error.message().starts_with("unknown field") || passed_over()) => {
            Err(Refusal::NoSuchKey)
        }
        Err(error) => Err(Refusal::Value(rule(there, first.value.as_ref(), error.message()))),
    }
}

/// What would be right, in words that say nothing of Rust's types.
fn rule(there: Option<&Value>, value: Option<&Value>, message: &str) -> String {
    let needed = match (there, value) {
        (_, None) => "it can't be left out",
        (Some(Value::Integer(_)), _) => "a whole number of at least 0 is needed",
        (Some(Value::Float(_)), _) => "a number is needed",
        (Some(Value::Boolean(_)), _) => "true or false is needed",
        _ => {
            return message
                .replace("usize", "a whole number")
                .replace("u64", "a whole number");
        }
    };
    needed.to_owned()
}

/// A configuration as a table.
pub(super) fn table<C: Serialize>(config: &C) -> Result<Table, String> {
    Table::try_from(config).map_err(|error| error.to_string())
}

/// The value of a dotted key.
pub(super) fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((first, rest)) => get(table.get(first)?.as_table()?, rest),
    }
}

fn put(table: &mut Table, key: &str, value: Option<&Value>) {
    match (key.split_once('.'), value) {
        (None, Some(value)) => {
            table.insert(key.to_owned(), value.clone());
        }
        (None, None) => {
            table.remove(key);
        }
        (Some((first, rest)), value) => {
            let inner = table
                .entry(first.to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            // `random = 3` in the place of `"uniform"`.
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// All keys of a table, dotted, in order, with their values; arrays are values.
pub(super) fn flatten(table: &Table) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = flatten(inner).into_iter();
                all.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => all.push((key.clone(), value)),
        }
    }
    all
}

fn any_date() -> Datetime {
    "1970-01-01".parse().expect("a date")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
        rate: f64,
        inner: Inner,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "name", rename_all = "lowercase")]
    enum Inner {
        One(One),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct One {
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shared: bool,
        widths: Option<[usize; 2]>,
        links: Links,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Links {
        Uniform,
        Random(u32),
    }

    fn outer() -> Outer {
        Outer {
            limit: None,
            rate: 0.5,
            inner: Inner::One(One {
                shared: false,
                widths: Some([1, 2]),
                links: Links::Uniform,
            }),
        }
    }

    #[test]
    fn keys_at_any_depth_are_set() {
        let Inner::One(changed) = set(&outer(), &[Change::to("inner.links.random", 7)]).unwrap().inner;
        assert_eq!(changed.links, Links::Random(7));
        assert_eq!(set(&outer(), &[Change::to("limit", 7)]).unwrap().limit, Some(7));
        assert_eq!(set(&outer(), &[Change::to("rate", 7)]).unwrap().rate, 7.0);
        let Inner::One(changed) = set(&outer(), &[Change::without("inner.widths")]).unwrap().inner;
        assert_eq!(changed.widths, None);
    }

    /// Serde itself refuses the first two, passes over the third, and leaves known keys out when it writes the others.
    #[test]
    fn keys_that_there_are_not() {
        for key in [
            "epochs",
            "inner.links.other",
            "inner.wdiths",
            "inner.routing.iterations",
        ] {
            let refusal = set(&outer(), &[Change::to(key, 1)]).unwrap_err();
            assert!(
                key == "inner.links.other" || refusal == Refusal::NoSuchKey,
                "{key}: {refusal:?}"
            );
        }
        assert_eq!(
            set(&outer(), &[Change::without("inner.wdiths")]),
            Err(Refusal::NoSuchKey)
        );
        assert_eq!(set(&outer(), &[Change::to("inner.shared", false)]), Ok(outer()));
        assert_eq!(set(&outer(), &[Change::without("limit")]), Ok(outer()));
    }

    #[test]
    fn values_that_a_key_cannot_have() {
        for (key, value, part) in [
            ("rate", Value::from("fast"), "a number"),
            ("limit", Value::from("many"), "a whole number"),
            ("limit", Value::from(-1), "a whole number"),
            ("inner.links", Value::from("most"), "random"),
            ("inner.shared", Value::from(3), "bool"),
        ] {
            match set(&outer(), &[Change::to(key, value)]) {
                Err(Refusal::Value(rule)) => assert!(rule.contains(part), "{key}: {rule}"),
                other => panic!("{key}: {other:?}"),
            }
        }
        let left_out = set(&outer(), &[Change::without("rate")]);
        assert!(matches!(left_out, Err(Refusal::Value(rule)) if rule.contains("left out")));
    }
}
