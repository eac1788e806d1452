//! Which model a state dict without a configuration belongs to.
//!
//! PyTorch files hold tensors only. Names tell the model and the variant (the tutorial's has `batch_norm_0`); shapes tell
//! sizes. What tensors can't tell (strides, routing iterations, normalisation) is as in the paper or the tutorial, which its
//! users can override.

use capsnet_weights::{NamedTensor, StateDict};

use crate::model::{CapsNetConfig, CnnConfig, ImageShape, LeNet5Config, ModelConfig};

/// The configuration that the tensors point to, or `None` if they are those of no known model.
///
/// A shape that doesn't fit the guess is left for the check that follows, which names the tensor.
pub fn infer_config(weights: &StateDict) -> Option<ModelConfig> {
    if weights.get("conv0.weight").is_some() {
        return Some(ModelConfig::LeNet5(lenet5(weights)));
    }
    if weights.get("digit_capsules.route_weights").is_some() {
        return Some(ModelConfig::CapsNet(capsnet(weights)));
    }
    if weights.get("convs.0.weight").is_some() {
        return cnn(weights).map(ModelConfig::Cnn);
    }
    None
}

fn shape<'a>(weights: &'a StateDict, name: &str) -> Option<&'a [usize]> {
    weights.get(name).map(NamedTensor::shape)
}

fn lenet5(weights: &StateDict) -> LeNet5Config {
    let mut config = LeNet5Config::default();
    if let Some(&[classes, _]) = shape(weights, "fc4.weight") {
        config.classes = classes;
    }
    if let Some(&[_, channels, _, _]) = shape(weights, "conv0.weight") {
        config.image.channels = channels;
    }
    // The flattened features are 16 maps of (side - 12) / 4 squared.
    if let Some(&[_, features]) = shape(weights, "fc2.weight")
        && let Some(side) = square_root(features / 16)
    {
        config.image.height = 4 * side + 12;
        config.image.width = config.image.height;
    }
    config
}

/// `None` where no square image leads to as many features as the first linear layer takes.
fn cnn(weights: &StateDict) -> Option<CnnConfig> {
    let first_dimensions = |layers: &str| -> Vec<usize> {
        let name = |number| format!("{layers}.{number}.weight");
        (0..)
            .map_while(|number| shape(weights, &name(number))?.first().copied())
            .collect()
    };
    let mut config = CnnConfig::default().with_channels(first_dimensions("convs"));
    config.hidden = first_dimensions("linears");
    config.classes = config.hidden.pop()?;
    if let Some(&[_, channels, kernel, _]) = shape(weights, "convs.0.weight") {
        config.image.channels = channels;
        config.kernel = kernel;
    }
    let &[_, features] = shape(weights, "linears.0.weight")? else {
        return None;
    };
    let maps = square_root(features / config.channels.last()?)?;
    // Several sides lead to the same maps where the stride is not one.
    let usual = ImageShape::MNIST.height;
    let side = std::iter::once(usual)
        .chain(1..=512)
        .find(|&side| config.feature_side(side) == Some(maps))?;
    config.image.height = side;
    config.image.width = side;
    Some(config)
}

fn capsnet(weights: &StateDict) -> CapsNetConfig {
    let tutorial = weights.get("batch_norm_0.weight").is_some();
    let mut config = if tutorial {
        CapsNetConfig::tutorial()
    } else {
        CapsNetConfig::paper()
    };
    if let Some(&[conv_channels, channels, kernel, _]) = shape(weights, "conv1.weight") {
        config.conv_channels = conv_channels;
        config.kernel = kernel;
        config.image.channels = channels;
    }
    if let Some(&[classes, _, lower_dimensions, dimensions]) = shape(weights, "digit_capsules.route_weights") {
        config.classes = classes;
        config.primary_dimensions = lower_dimensions;
        config.class_dimensions = dimensions;
    }
    if let Some(&[maps, ..]) = shape(weights, "primary_capsules.capsules.0.weight") {
        config.primary_maps = maps;
    }
    config.decoder = match (shape(weights, "decoder.0.weight"), shape(weights, "decoder.2.weight")) {
        (Some(&[first, _]), Some(&[second, _])) => Some([first, second]),
        _ => None,
    };
    if let Some(image) = capsnet_image(weights, &config) {
        config.image = image;
    }
    if let Some(&[_, matrices, ..]) = shape(weights, "digit_capsules.route_weights") {
        config.share_votes = matrices == config.primary_maps && config.primary_capsules() != Some(matrices);
    }
    config
}

/// The image of a CapsNet: as many pixels as the decoder draws, taken to be square.
fn capsnet_image(weights: &StateDict, config: &CapsNetConfig) -> Option<ImageShape> {
    let &[pixels, _] = shape(weights, "decoder.4.weight")? else {
        return None;
    };
    let channels = config.image.channels;
    let side = square_root(pixels.checked_div(channels)?)?;
    Some(ImageShape {
        channels,
        height: side,
        width: side,
    })
}

fn square_root(square: usize) -> Option<usize> {
    let root = square.isqrt();
    (root > 0 && root * root == square).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use burn::prelude::*;
    use capsnet_data::random::Seed;

    fn inferred(config: &ModelConfig) -> ModelConfig {
        let model = Model::new(config.clone(), Seed(1), &Device::flex()).unwrap();
        infer_config(&model.state_dict()).unwrap()
    }

    #[test]
    fn a_models_own_tensors_lead_back_to_its_configuration() {
        let small = |config: CapsNetConfig| CapsNetConfig {
            image: ImageShape {
                channels: 3,
                height: 14,
                width: 14,
            },
            conv_channels: 4,
            kernel: 3,
            primary_maps: 2,
            primary_dimensions: 5,
            class_dimensions: 6,
            classes: 7,
            decoder: Some([8, 9]),
            ..config
        };
        let image = ImageShape {
            channels: 3,
            height: 39,
            width: 39,
        };
        let mut small_cnn = CnnConfig::with_parameters(image, 7, 20_000).with_channels(vec![3, 4]);
        small_cnn.hidden = vec![9];
        for config in [
            ModelConfig::LeNet5(LeNet5Config::default()),
            ModelConfig::CapsNet(small(CapsNetConfig::paper())),
            ModelConfig::CapsNet(small(CapsNetConfig::tutorial())),
            ModelConfig::CapsNet(small(CapsNetConfig {
                share_votes: true,
                ..CapsNetConfig::paper()
            })),
            ModelConfig::Cnn(CnnConfig::with_parameters(ImageShape::MNIST, 7, 20_000)),
            ModelConfig::Cnn(small_cnn),
        ] {
            assert_eq!(inferred(&config), config);
        }
    }

    #[test]
    fn foreign_tensors_are_no_model() {
        assert_eq!(infer_config(&StateDict::default()), None);
    }
}
