//! What a run comes upon that doesn't end it, but that whoever reads its results should know.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use capsnet_data::transform::Normalize;

use super::MadeBy;

/// Something to be told, which training goes on after.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The newest checkpoint can't be used; the one before is.
    FellBack {
        /// Which it is, and why.
        damaged: String,
        /// The one before.
        previous: PathBuf,
        /// Steps made up to the one before.
        step: u64,
    },
    /// The checkpoint is of a version that noted no SHA-256.
    NoDigest {
        /// The checkpoint.
        path: PathBuf,
    },
    /// The augmentation brings images of the training alone to another scale.
    OtherScale {
        /// What it does.
        augment: Normalize,
        /// What the weights remember, and all other images get.
        model: Normalize,
    },
    /// Lines of the metrics can't be read.
    DamagedMetrics {
        /// The metrics.
        path: PathBuf,
        /// How many lines.
        lines: usize,
        /// Where they are now.
        kept: PathBuf,
    },
    /// The metrics have no lines of some epochs that the checkpoint holds.
    MissingMetrics {
        /// The metrics.
        path: PathBuf,
        /// Of how many epochs.
        epochs: u64,
    },
    /// The checkpoint was made by something else than what goes on with it.
    OtherMaker {
        /// The step that is gone on from.
        step: u64,
        /// What made the checkpoint, with those of its settings that have changed.
        before: MadeBy,
        /// What goes on, with the same settings.
        now: MadeBy,
        /// Where that is noted.
        noted: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::FellBack {
                damaged,
                previous,
                step,
            } => write!(
                f,
                "{damaged}\ngoing on from the one before, {}, after step {step}",
                previous.display()
            ),
            Notice::NoDigest { path } => write!(
                f,
                "{}: an older version made this checkpoint and noted no SHA-256, so damage to it may go unseen",
                path.display()
            ),
            Notice::OtherScale { augment, model } => write!(
                f,
                "`normalize={augment}` of the augmentation is for images of the training alone; the weights remember \
                 {model} (`--normalize`), which images of validations and tests get"
            ),
            Notice::DamagedMetrics { path, lines, kept } => {
                let line = if *lines == 1 { "line" } else { "lines" };
                let (path, kept) = (path.display(), kept.display());
                write!(
                    f,
                    "{path}: {lines} {line} can't be read; moved to {kept}, the others stay"
                )
            }
            Notice::MissingMetrics { path, epochs } => {
                let missing = match epochs {
                    1 => "the line of an epoch that was trained is missing".to_owned(),
                    _ => format!("the lines of {epochs} epochs that were trained are missing"),
                };
                let path = path.display();
                write!(f, "{path}: {missing}: curves leave it out; weights don't depend on it")
            }
            Notice::OtherMaker {
                step,
                before,
                now,
                noted,
            } => {
                write!(f, "this run was begun ")?;
                let mut says = Vec::new();
                if before.program != now.program {
                    says.push(format!("by version {}, this is {}", before.program, now.program));
                }
                if before.instruction_set != now.instruction_set {
                    let (before, now) = (&before.instruction_set, &now.instruction_set);
                    says.push(format!("with the instruction set {before}, this is {now}"));
                }
                if before.data_sha256 != now.data_sha256 {
                    says.push("on other images".to_owned());
                }
                says.extend(changed_settings(&before.settings, &now.settings));
                let noted = noted.display();
                write!(
                    f,
                    "{}: from step {step} on its weights will not be those of an undisturbed run (noted in {noted})",
                    says.join(" and ")
                )
            }
        }
    }
}

/// `with model.normalize.mean 0, now 0.5`, of every setting.
fn changed_settings(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let value = |of: &BTreeMap<String, String>, key: &String| of.get(key).map_or("none", String::as_str).to_owned();
    keys.into_iter()
        .map(|key| format!("with {key} {}, now {}", value(before, key), value(now, key)))
        .collect()
}
