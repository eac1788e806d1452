//! Reading single values, with errors that say what is needed.

use std::ffi::OsStr;
use std::process;

use capsnet::device::found_devices_in_words;
use clap::builder::{StringValueParser, TypedValueParser};

use crate::output::line;

pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number of at least 1 is needed".to_owned()),
    }
}

pub(crate) fn iterations(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= 100 => Ok(number),
        _ => Err("a whole number from 0 to 100 is needed".to_owned()),
    }
}

pub(crate) fn positive_u64(text: &str) -> Result<u64, String> {
    positive(text).map(|number| number as u64)
}

/// Versions of every test image: more would not fit into memory, and say no more.
pub(crate) fn variants(text: &str) -> Result<u64, String> {
    match positive_u64(text)? {
        number @ ..=10_000 => Ok(number),
        _ => Err("10,000 at most".to_owned()),
    }
}

pub(crate) fn angle(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(angle) if f64::is_finite(angle) => Ok(angle),
        _ => Err("an angle in degrees is needed, for example --rotate=-23".to_owned()),
    }
}

pub(crate) fn score(text: &str) -> Result<f32, String> {
    let score = text.trim().parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "a score from 0 to 1 is needed, for example 0.75".to_owned())
}

/// The name of a device. `list` prints those of this machine and ends the program, as `--help` does.
#[derive(Clone)]
pub(crate) struct DeviceName;

impl TypedValueParser for DeviceName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        if value == "list" {
            // That nobody reads on is no failure.
            let _ = line(found_devices_in_words());
            process::exit(0);
        }
        StringValueParser::new().parse_ref(command, arg, value)
    }
}
