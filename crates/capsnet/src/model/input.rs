//! What a model takes: the size of its images, the number of its classes, the scale of its pixels.

use capsnet_data::transform::Normalize;
use serde::{Deserialize, Serialize};

/// A configuration that describes no possible network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the model's `{field}` is {value}, but {rule}")]
pub struct ConfigError {
    /// The field at fault.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What would be right.
    pub rule: String,
}

impl ConfigError {
    /// Refuses a field's `value` unless it `holds`.
    ///
    /// # Errors
    ///
    /// If it doesn't.
    pub fn unless(
        holds: bool,
        field: &'static str,
        value: impl ToString,
        rule: impl Into<String>,
    ) -> Result<(), ConfigError> {
        if holds {
            return Ok(());
        }
        Err(ConfigError {
            field,
            value: value.to_string(),
            rule: rule.into(),
        })
    }
}

/// Size of a model's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageShape {
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageShape {
    /// 28 x 28 grey pixels.
    pub const MNIST: Self = Self {
        channels: 1,
        height: 28,
        width: 28,
    };

    /// Number of values in an image.
    pub fn pixels(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Largest height or width that a configuration may ask for: a limit on what a hostile file can make us allocate.
    const MAX_SIDE: usize = 4096;

    fn validate(&self) -> Result<(), ConfigError> {
        let unless = ConfigError::unless;
        let channels = (1..=16).contains(&self.channels);
        unless(channels, "image.channels", self.channels, "it must be 1 to 16")?;
        for (field, side) in [("image.height", self.height), ("image.width", self.width)] {
            let holds = (1..=Self::MAX_SIDE).contains(&side);
            unless(holds, field, side, "it must be 1 to 4096")?;
        }
        Ok(())
    }
}

/// What a model takes and tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
}

impl Input {
    /// Whether there are such images and classes.
    ///
    /// # Errors
    ///
    /// Names the first field at fault.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.image.validate()?;
        let holds = (2..=10_000).contains(&self.classes);
        ConfigError::unless(holds, "classes", self.classes, "it must be 2 to 10,000")
    }
}

/// `input` and `set_input` of a configuration that has an [`Input`]'s fields among its own.
macro_rules! input_fields {
    () => {
        fn input(&self) -> crate::model::Input {
            crate::model::Input {
                image: self.image,
                classes: self.classes,
                normalize: self.normalize,
            }
        }

        fn set_input(&mut self, input: crate::model::Input) {
            crate::model::Input {
                image: self.image,
                classes: self.classes,
                normalize: self.normalize,
            } = input;
        }
    };
}

pub(super) use input_fields;
