//! Settings that belong together, under a name.
//!
//! A preset is a part of a `config.toml` in the crate's folder `presets/`; its comments say where it comes from and
//! what to expect of it.

use super::Part;

/// A named part of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// As on the command line.
    pub name: &'static str,
    /// The file, comments included.
    pub text: &'static str,
}

/// Every preset.
pub const PRESETS: [Preset; 11] = [
    Preset {
        name: "paper",
        text: include_str!("../../presets/paper.toml"),
    },
    Preset {
        name: "tutorial",
        text: include_str!("../../presets/tutorial.toml"),
    },
    Preset {
        name: "fast",
        text: include_str!("../../presets/fast.toml"),
    },
    Preset {
        name: "large",
        text: include_str!("../../presets/large.toml"),
    },
    Preset {
        name: "efficient",
        text: include_str!("../../presets/efficient.toml"),
    },
    Preset {
        name: "circle",
        text: include_str!("../../presets/circle.toml"),
    },
    Preset {
        name: "em",
        text: include_str!("../../presets/em.toml"),
    },
    Preset {
        name: "em-full",
        text: include_str!("../../presets/em-full.toml"),
    },
    Preset {
        name: "hvc",
        text: include_str!("../../presets/hvc.toml"),
    },
    Preset {
        name: "transforming",
        text: include_str!("../../presets/transforming.toml"),
    },
    Preset {
        name: "transforming-affine",
        text: include_str!("../../presets/transforming-affine.toml"),
    },
];

impl Preset {
    /// The preset of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The same, or what there are.
    ///
    /// # Errors
    ///
    /// A list of them, if there is none of this name.
    pub fn wanted(name: &str) -> Result<&'static Self, String> {
        let lines = || PRESETS.map(|preset| format!("\n  {}: {}", preset.name, preset.about()));
        Self::named(name).ok_or_else(|| format!("there are{}", lines().concat()))
    }

    /// What it is, in a line: the first of its comments.
    pub fn about(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches(['#', ' '])
    }

    /// Its settings.
    ///
    /// # Panics
    ///
    /// Never: the files are tested.
    pub fn part(&self) -> Part {
        Part::parse(self.text, format!("the preset {}", self.name)).expect("presets are TOML")
    }
}
