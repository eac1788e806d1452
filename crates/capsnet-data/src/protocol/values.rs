//! Lists of the values at which a sweep measures: `-180..180:5`, `15,-23,35`, or both mixed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

mod decimal;

use decimal::Decimal;

/// The most values that one list may have.
pub const MAX_POINTS: usize = 10_000;

/// A full turn in steps of ten degrees, each angle once.
pub const CIRCLE: &str = "-180..170:10";

/// The values of a sweep, each once, in the order in which they were written.
///
/// Items between commas; each is a number or `from..to:step`, both ends included if the steps meet the second.
/// Numbers are decimal, of at most 15 digits, and the steps are counted in decimals, so that `0.8..1.2:0.05` holds
/// exactly the double nearest to 0.85 and not a sum of rounded steps. A value that an earlier item already has is left
/// out. `circle` stands for [`CIRCLE`], the angles that others average over.
///
/// Written back with [`Display`](fmt::Display), and so by serde, as the list that was read.
///
/// ```
/// use capsnet_data::protocol::Values;
///
/// # fn main() -> Result<(), capsnet_data::protocol::ValuesError> {
/// let scales: Values = "0.8..1.2:0.1, 2".parse()?;
/// assert_eq!(scales.points(), [0.8, 0.9, 1.0, 1.1, 1.2, 2.0]);
/// assert_eq!(scales.to_string(), "0.8..1.2:0.1,2");
/// assert_eq!("-180..180:5".parse::<Values>()?.points().len(), 73);
/// assert_eq!("circle".parse::<Values>()?.to_string(), "-180..170:10");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    items: Vec<Item>,
    points: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    One(Decimal),
    Steps { from: Decimal, to: Decimal, step: Decimal },
}

/// What is wrong with a list of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValuesError {
    /// A number is missing between commas, dots or colons.
    #[error("`{item}`: a number is missing; expected numbers or from..to:step between commas, as in -180..180:5,15")]
    Missing {
        /// The item.
        item: String,
    },
    /// Not a decimal number.
    #[error("`{item}`: `{text}` is not a decimal number; expected a number such as 15 or -0.5, or from..to:step")]
    NotANumber {
        /// The item.
        item: String,
        /// The part of it.
        text: String,
    },
    /// More digits than a double holds exactly.
    #[error("`{item}` needs more than 15 digits")]
    TooManyDigits {
        /// The item.
        item: String,
    },
    /// A range that doesn't say how to go through it.
    #[error("`{item}`: a range needs a step: add one after a colon, for example {item}:5")]
    NoStep {
        /// The item.
        item: String,
    },
    /// A step that goes nowhere.
    #[error("`{item}`: a step of 0 never arrives")]
    ZeroStep {
        /// The item.
        item: String,
    },
    /// A step that leads away from the end.
    #[error("`{item}`: the step leads away from the end; give it the other sign, or swap the ends")]
    WrongSign {
        /// The item.
        item: String,
    },
    /// More values than [`MAX_POINTS`].
    #[error("`{item}` makes the list {count} values long; at most {MAX_POINTS} are possible: take larger steps")]
    TooManyPoints {
        /// The item with which there are too many.
        item: String,
        /// How many there would be.
        count: u64,
    },
}

impl Values {
    /// The values, in the order in which they were written.
    pub fn points(&self) -> &[f64] {
        &self.points
    }
}

impl FromStr for Values {
    type Err = ValuesError;

    fn from_str(text: &str) -> Result<Self, ValuesError> {
        let mut items = Vec::new();
        let mut points = Vec::new();
        for text in text.split(',').map(str::trim) {
            let item = read(text)?;
            let count = points.len() as u64 + item.steps() as u64 + 1;
            if count > MAX_POINTS as u64 {
                return Err(ValuesError::TooManyPoints {
                    item: text.to_owned(),
                    count,
                });
            }
            points.extend(item.points());
            items.push(item);
        }
        Ok(Values {
            items,
            points: each_once(points),
        })
    }
}

fn read(text: &str) -> Result<Item, ValuesError> {
    if text == "circle" {
        return read(CIRCLE);
    }
    let owned = || text.to_owned();
    let number = |part: &str| match part.trim() {
        "" => Err(ValuesError::Missing { item: owned() }),
        part => Decimal::read(part).map_err(|digits| match digits {
            true => ValuesError::TooManyDigits { item: owned() },
            false => ValuesError::NotANumber {
                item: owned(),
                text: part.to_owned(),
            },
        }),
    };
    let Some((from, rest)) = text.split_once("..") else {
        return number(text).map(Item::One);
    };
    let Some((to, step)) = rest.split_once(':') else {
        number(from).and(number(rest))?;
        return Err(ValuesError::NoStep { item: owned() });
    };
    let numbers = [number(from)?, number(to)?, number(step)?];
    let [from, to, step] = Decimal::aligned(numbers).ok_or_else(|| ValuesError::TooManyDigits { item: owned() })?;
    match step.units() {
        0 => Err(ValuesError::ZeroStep { item: owned() }),
        step if (to.units() - from.units()).signum() * step.signum() < 0 => {
            Err(ValuesError::WrongSign { item: owned() })
        }
        _ => Ok(Item::Steps { from, to, step }),
    }
}

impl Item {
    /// How many steps it takes, the step having the direction of the range.
    fn steps(&self) -> i64 {
        match self {
            Item::One(_) => 0,
            Item::Steps { from, to, step } => (to.units() - from.units()) / step.units(),
        }
    }

    fn points(&self) -> impl Iterator<Item = f64> {
        let (from, step) = match *self {
            Item::One(value) => (value, value),
            Item::Steps { from, step, .. } => (from, step),
        };
        (0..=self.steps()).map(move |i| from.plus(i, step).to_f64())
    }
}

/// The first of every value; none is NaN or minus zero.
fn each_once(points: Vec<f64>) -> Vec<f64> {
    let mut seen = std::collections::HashSet::new();
    points
        .into_iter()
        .filter(|point| seen.insert(point.to_bits()))
        .collect()
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.items.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match item {
                Item::One(value) => write!(f, "{comma}{value}")?,
                Item::Steps { from, to, step } => write!(f, "{comma}{from}..{to}:{step}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
