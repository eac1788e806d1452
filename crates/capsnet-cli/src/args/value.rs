//! Reading single values, with errors that say what is needed.

pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number of at least 1 is needed".to_owned()),
    }
}

pub fn iterations(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= 100 => Ok(number),
        _ => Err("a whole number from 0 to 100 is needed".to_owned()),
    }
}

pub fn positive_u64(text: &str) -> Result<u64, String> {
    positive(text).map(|number| number as u64)
}

/// Versions of every test image: more would not fit into memory, and say no more.
pub fn variants(text: &str) -> Result<u64, String> {
    match positive_u64(text)? {
        number @ ..=10_000 => Ok(number),
        _ => Err("10,000 at most".to_owned()),
    }
}

pub fn positive_float(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a positive number is needed, for example 1e-3".to_owned()),
    }
}

pub fn angle(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(angle) if f64::is_finite(angle) => Ok(angle),
        _ => Err("angles in degrees are needed, separated by commas, for example --rotate=15,-23,35".to_owned()),
    }
}
