//! Reading single values, with errors that say what is needed.

use std::ffi::OsStr;
use std::process;
use std::str::FromStr;

use capsnet::device::{found_devices, known_devices};
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

/// Channels, rows and columns: `3x32x32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageSize(pub [usize; 3]);

impl FromStr for ImageSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides: Vec<usize> = text
            .split(['x', 'X'])
            .filter_map(|side| side.trim().parse().ok())
            .collect();
        match sides[..] {
            [channels @ (1 | 3), height @ 1..=4096, width @ 1..=4096] if text.split(['x', 'X']).count() == 3 => {
                Ok(Self([channels, height, width]))
            }
            _ => Err("channels (1 or 3), height and width are needed, at most 4096: for example 3x32x32".to_owned()),
        }
    }
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
            let _ = line(list_of_devices());
            process::exit(0);
        }
        StringValueParser::new().parse_ref(command, arg, value)
    }
}

fn list_of_devices() -> String {
    let mut lines: Vec<String> = found_devices()
        .into_iter()
        .map(|found| match found {
            Ok(found) => format!("{:<10} {}", found.name, found.title),
            Err(absent) => format!("{:<10} not here: {}", absent.name, absent.reason),
        })
        .collect();
    if known_devices().len() == 1 {
        lines
            .push("This build has no GPU devices; they are cargo features: wgpu, vulkan, metal, cuda, rocm".to_owned());
    }
    lines.join("\n")
}
