//! Decimal numbers without rounding, for steps that are counted and not summed up.

use std::fmt;

/// Every decimal number of this many digits survives the way to a double and back.
const MAX_DIGITS: usize = 15;
/// The numbers of so many digits lie below this.
const BOUND: i64 = 1_000_000_000_000_000;

/// `units` times `10^-places`; fewer than 16 digits, both before and after the point together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    units: i64,
    places: u32,
}

impl Decimal {
    /// Reads digits with an optional sign and point. The error says whether the fault is too many digits.
    pub(super) fn read(text: &str) -> Result<Self, bool> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
            return Err(false);
        }
        let fraction = fraction.trim_end_matches('0');
        if whole.trim_start_matches('0').len() + fraction.len() > MAX_DIGITS {
            return Err(true);
        }
        let units = whole.bytes().chain(fraction.bytes());
        let units = units.fold(0, |units, digit| units * 10 + i64::from(digit - b'0'));
        Ok(Decimal {
            units: if text.starts_with('-') { -units } else { units },
            places: fraction.len() as u32,
        })
    }

    /// The same three numbers with equally many places; `None` if that takes too many digits.
    pub(super) fn aligned(numbers: [Decimal; 3]) -> Option<[Decimal; 3]> {
        let places = numbers.iter().map(|number| number.places).max()?;
        let mut aligned = numbers;
        for number in &mut aligned {
            let factor = 10i64.checked_pow(places - number.places)?;
            let units = number.units.checked_mul(factor)?;
            if units.abs() >= BOUND {
                return None;
            }
            *number = Decimal { units, places };
        }
        Some(aligned)
    }

    /// The number in units of its last place.
    pub(super) fn units(self) -> i64 {
        self.units
    }

    /// This number and `count` times `step`, which has as many places.
    pub(super) fn plus(self, count: i64, step: Decimal) -> Decimal {
        Decimal {
            units: self.units + count * step.units,
            ..self
        }
    }

    /// The nearest double, which prints as this number.
    pub(super) fn to_f64(self) -> f64 {
        self.to_string().parse().expect("digits and a point are a number")
    }
}

/// Equal numbers, however many zeros they end in.
impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units) = (if self.units < 0 { "-" } else { "" }, self.units.unsigned_abs());
        let scale = 10u64.pow(self.places);
        let (whole, fraction) = (units / scale, units % scale);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:0places$}", places = self.places as usize);
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}
