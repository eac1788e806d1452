//! How a CNN may be written down: by all its widths, or by some of them or by its number of parameters, from which the
//! others follow.

use capsnet_data::transform::Normalize;
use serde::Deserialize;

use super::{CnnConfig, ConfigError, ImageShape, Input};

/// Smallest side that the usual three convolutions fit into.
const LEAST_SIDE: usize = 17;

/// A [`CnnConfig`] as it is read; as it is written, nothing is left open.
#[derive(Deserialize)]
pub(super) struct Declared {
    image: ImageShape,
    classes: usize,
    normalize: Normalize,
    /// Where widths are left open: about so many, CapsNet's unless it says otherwise.
    parameters: Option<usize>,
    channels: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    kernel: Option<usize>,
    hidden: Option<Vec<usize>>,
}

impl TryFrom<Declared> for CnnConfig {
    type Error = ConfigError;

    fn try_from(declared: Declared) -> Result<Self, ConfigError> {
        let open = declared.channels.is_none() || declared.kernel.is_none() || declared.hidden.is_none();
        let input = Input {
            image: declared.image,
            classes: declared.classes,
            normalize: declared.normalize,
        };
        let mut config = if open || declared.parameters.is_some() {
            sized(input, declared.parameters)?
        } else {
            CnnConfig {
                image: declared.image,
                classes: declared.classes,
                ..CnnConfig::default()
            }
        };
        config.normalize = declared.normalize;
        if let Some(channels) = declared.channels {
            config = config.with_channels(channels);
        }
        config.strides = declared.strides.unwrap_or(config.strides);
        config.kernel = declared.kernel.unwrap_or(config.kernel);
        config.hidden = declared.hidden.unwrap_or(config.hidden);
        Ok(config)
    }
}

/// The network of so many parameters, if it can be made for these images.
fn sized(input: Input, parameters: Option<usize>) -> Result<CnnConfig, ConfigError> {
    input.validate()?;
    let side = input.image.height.min(input.image.width);
    let rule = format!("a CNN whose widths are left open needs at least {LEAST_SIDE}");
    ConfigError::unless(side >= LEAST_SIDE, "image", side, rule)?;
    let parameters = parameters.unwrap_or(CnnConfig::OF_CAPSNET);
    let possible = (1..=1_000_000_000).contains(&parameters);
    ConfigError::unless(possible, "parameters", parameters, "it must be 1 to 1,000,000,000")?;
    Ok(CnnConfig::with_parameters(input.image, input.classes, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CnnConfig, toml::de::Error> {
        toml::from_str(text)
    }

    const IMAGES: &str = "classes = 10\nnormalize = '0:1'\nimage = { channels = 1, height = 28, width = 28 }\n";

    #[test]
    fn what_is_left_open_follows() {
        let usual = CnnConfig {
            normalize: "0:1".parse().unwrap(),
            ..CnnConfig::default()
        };
        assert_eq!(read(IMAGES).unwrap(), usual);
        let small = read(&format!("{IMAGES}parameters = 50000")).unwrap();
        assert!(small.parameters().abs_diff(50_000) < 500, "{}", small.parameters());
        let widths = read(&format!("{IMAGES}channels = [2, 3]\nhidden = [5]\nkernel = 3")).unwrap();
        assert_eq!((widths.strides, widths.kernel), (vec![1, 2], 3));
        let deep = read(&format!("{IMAGES}channels = [2, 3, 4, 5]\nstrides = [1, 1, 1, 2]")).unwrap();
        assert_eq!((deep.strides, deep.hidden), (vec![1, 1, 1, 2], usual.hidden));
    }

    #[test]
    fn what_was_written_is_read() {
        let config = CnnConfig::with_parameters(ImageShape::MNIST, 10, 30_000).with_channels(vec![3, 4]);
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn sizes_that_nothing_follows_from() {
        for (from, to, part) in [
            ("height = 28", "height = 16", "at least 17"),
            ("height = 28", "height = 99999999", "image.height"),
            ("classes = 10", "classes = 0", "classes"),
            ("classes = 10", "classes = 10\nparameters = 0", "parameters"),
        ] {
            let error = read(&IMAGES.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(part), "{to}: {error}");
        }
    }
}
