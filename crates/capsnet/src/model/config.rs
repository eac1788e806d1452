//! What a model is, in a form that is saved beside its weights and in a run's `config.toml`.

use capsnet_data::transform::Normalize;
use serde::{Deserialize, Serialize};

use super::{CapsNetConfig, CnnConfig, EquivariantCapsNetConfig, LeNet5Config};

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

/// Refuses `value` unless it `holds`.
pub(super) fn require(
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

/// Size of a model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let side = 1..=Self::MAX_SIDE;
        require(
            (1..=16).contains(&self.channels),
            "image.channels",
            self.channels,
            "it must be 1 to 16",
        )?;
        require(
            side.contains(&self.height),
            "image.height",
            self.height,
            "it must be 1 to 4096",
        )?;
        require(
            side.contains(&self.width),
            "image.width",
            self.width,
            "it must be 1 to 4096",
        )
    }
}

/// What a model takes and tells apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// Size of the images.
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What is done to pixels in 0..1 before the model sees them.
    pub normalize: Normalize,
}

/// The configuration of any model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum ModelConfig {
    /// LeNet-5.
    LeNet5(LeNet5Config),
    /// CapsNet with dynamic routing.
    CapsNet(CapsNetConfig),
    /// A capsule network that turns with its input.
    #[serde(rename = "equivariant-capsnet")]
    EquivariantCapsNet(EquivariantCapsNetConfig),
    /// A plain convolutional network.
    Cnn(CnnConfig),
}

impl ModelConfig {
    /// Every model as it is usually made, in the order of the documentation.
    pub fn usual() -> [Self; 4] {
        [
            ModelConfig::LeNet5(LeNet5Config::default()),
            ModelConfig::CapsNet(CapsNetConfig::default()),
            ModelConfig::EquivariantCapsNet(EquivariantCapsNetConfig::default()),
            ModelConfig::Cnn(CnnConfig::default()),
        ]
    }

    /// The model of this name, as it is usually made.
    pub fn named(name: &str) -> Option<Self> {
        Self::usual().into_iter().find(|model| model.name() == name)
    }

    /// The model's name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            ModelConfig::LeNet5(_) => "lenet5",
            ModelConfig::CapsNet(_) => "capsnet",
            ModelConfig::EquivariantCapsNet(_) => "equivariant-capsnet",
            ModelConfig::Cnn(_) => "cnn",
        }
    }

    /// The model's name in prose.
    pub fn title(&self) -> &'static str {
        match self {
            ModelConfig::LeNet5(_) => "LeNet-5",
            ModelConfig::CapsNet(_) => "CapsNet",
            ModelConfig::EquivariantCapsNet(_) => "Equivariant CapsNet",
            ModelConfig::Cnn(_) => "CNN",
        }
    }

    /// What the model takes and tells apart.
    pub fn input(&self) -> Input {
        Input {
            image: self.image(),
            classes: self.classes(),
            normalize: self.normalize(),
        }
    }

    /// What is done to pixels in 0..1 before the model sees them.
    pub fn normalize(&self) -> Normalize {
        match self {
            ModelConfig::LeNet5(config) => config.normalize,
            ModelConfig::CapsNet(config) => config.normalize,
            ModelConfig::EquivariantCapsNet(config) => config.normalize,
            ModelConfig::Cnn(config) => config.normalize,
        }
    }

    /// The same model fed with other statistics.
    pub fn set_normalize(&mut self, normalize: Normalize) {
        match self {
            ModelConfig::LeNet5(config) => config.normalize = normalize,
            ModelConfig::CapsNet(config) => config.normalize = normalize,
            ModelConfig::EquivariantCapsNet(config) => config.normalize = normalize,
            ModelConfig::Cnn(config) => config.normalize = normalize,
        }
    }

    /// The size of the images that the model takes.
    pub fn image(&self) -> ImageShape {
        match self {
            ModelConfig::LeNet5(config) => config.image,
            ModelConfig::CapsNet(config) => config.image,
            ModelConfig::EquivariantCapsNet(config) => config.image,
            ModelConfig::Cnn(config) => config.image,
        }
    }

    /// The same model for images of another size; it needs weights of its own.
    pub fn set_image(&mut self, image: ImageShape) {
        match self {
            ModelConfig::LeNet5(config) => config.image = image,
            ModelConfig::CapsNet(config) => config.image = image,
            ModelConfig::EquivariantCapsNet(config) => config.image = image,
            ModelConfig::Cnn(config) => config.set_image(image),
        }
    }

    /// The number of classes that the model tells apart.
    pub fn classes(&self) -> usize {
        match self {
            ModelConfig::LeNet5(config) => config.classes,
            ModelConfig::CapsNet(config) => config.classes,
            ModelConfig::EquivariantCapsNet(config) => config.classes,
            ModelConfig::Cnn(config) => config.classes,
        }
    }

    /// Whether such a network can exist.
    ///
    /// # Errors
    ///
    /// Names the first field at fault.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.image().validate()?;
        require(
            (2..=10_000).contains(&self.classes()),
            "classes",
            self.classes(),
            "it must be 2 to 10,000",
        )?;
        match self {
            ModelConfig::LeNet5(config) => config.validate(),
            ModelConfig::CapsNet(config) => config.validate(),
            ModelConfig::EquivariantCapsNet(config) => config.validate(),
            ModelConfig::Cnn(config) => config.validate(),
        }
    }
}
