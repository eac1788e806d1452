//! `capsnet protocols`.

use anyhow::Result;
use capsnet_data::protocol::Protocol;
use serde::Serialize;

use crate::args::ProtocolsArgs;
use crate::output::line;

/// A protocol, as `--json` prints it.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    source: &'static str,
    caveat: Option<&'static str>,
    /// Rows and columns of an image.
    side: usize,
    /// What training images are transformed with.
    training_transform: Option<&'static str>,
    training: Option<&'static str>,
    test: &'static str,
}

impl Entry {
    fn new(protocol: Protocol) -> Self {
        let (training, test) = in_words(protocol);
        Self {
            name: protocol.name(),
            source: protocol.source(),
            caveat: protocol.caveat(),
            side: protocol.side(),
            training_transform: protocol.training_transform(),
            training,
            test,
        }
    }
}

/// What a model is trained on, and what it is tested on.
fn in_words(protocol: Protocol) -> (Option<&'static str>, &'static str) {
    match protocol {
        Protocol::Tutorial => (
            Some("upright digits, shifted by up to 2 pixels"),
            "upright digits, and digits rotated by 15, -23 and 35 degrees",
        ),
        Protocol::AffNist => (
            Some("digits at any place of a frame of 40x40"),
            "32 random affine versions of every test digit",
        ),
        Protocol::MultiMnist => (
            Some("two overlapping digits of different classes, another pair in every epoch"),
            "pairs of test digits; both classes must be the two most likely",
        ),
        Protocol::MnistRot => (
            Some("12,000 digits, each at an angle of its own"),
            "50,000 other digits, likewise",
        ),
        Protocol::Corruptions => (None, "the test digits under fifteen corruptions, one at a time"),
    }
}

pub fn run(args: &ProtocolsArgs) -> Result<()> {
    let entries = Protocol::ALL.map(Entry::new);
    if args.json {
        return line(serde_json::to_string(&entries)?);
    }
    for (number, entry) in entries.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n" };
        line(format_args!("{gap}{}  ({1}x{1} pixels)", entry.name, entry.side))?;
        if let Some(training) = entry.training {
            let transform = entry.training_transform.map(|spec| format!(" ({spec})"));
            line(format_args!("  training: {training}{}", transform.unwrap_or_default()))?;
        }
        line(format_args!("  test:     {}", entry.test))?;
        line(format_args!("  source:   {}", entry.source))?;
        if let Some(caveat) = entry.caveat {
            line(format_args!("  caveat:   {caveat}"))?;
        }
    }
    Ok(())
}
