//! Matrix capsules, whose routing amplifies what single precision rounds.

use burn::module::{ModuleMapper, Param};
use burn::tensor::DType;
use capsnet::model::{AnyNetwork, EmCapsNetConfig, Output};

use super::*;

/// The network in double precision, where it has no kernels either.
fn in_f64(network: AnyNetwork) -> AnyNetwork {
    struct ToF64;
    impl ModuleMapper for ToF64 {
        fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
            let (id, value, mapper) = param.consume();
            Param::from_mapped_value(id, value.cast(DType::F64), mapper)
        }
    }
    network.map(&mut ToF64)
}

/// Untrained votes are far apart, and shares in the third iteration make 1e-4 of what single precision rounds, in the
/// network as in its file. So both are held to double precision: the file must be as near as the network. Costs differ,
/// and so do the sides of the images, whose maps leave a rest.
#[test]
fn matrix_capsules() {
    let oblong = ImageShape {
        channels: 1,
        height: 30,
        width: 21,
    };
    let small = EmCapsNetConfig {
        conv_channels: 6,
        types: [3, 4, 5],
        ..EmCapsNetConfig::small()
    };
    let mut configs = vec![EmCapsNetConfig::small(), EmCapsNetConfig::full()];
    for routing in [
        "em:0",
        "em:1",
        "em:2",
        "em:3",
        "em-official:1",
        "em-official:2",
        "em-official:3",
    ] {
        configs.extend([ImageShape::MNIST, oblong].map(|image| EmCapsNetConfig {
            routing: routing.parse().unwrap(),
            image,
            ..small.clone()
        }));
    }
    configs.push(EmCapsNetConfig {
        batch_norm: true,
        beta_a_unit: 300.0,
        ..small
    });
    for config in configs {
        let what = format!("{} of {:?}, {}", config.routing, config.types, config.image.height);
        let count = if config.types == [32; 3] { 3 } else { 8 };
        let mut model = uneven(&made(config));
        let bytes = export(&model.config, &model.state_dict()).unwrap();
        let images = pixels(count, model.input().image, &Device::flex());
        let onnx = written(&bytes);
        assert_eq!(onnx.score_kind(), ScoreKind::Activation);
        assert_eq!(onnx.score_kind(), model.score_kind());
        let scores = |output: Output| {
            output
                .scores
                .cast(DType::F64)
                .into_data()
                .try_into_vec_as::<f64>()
                .unwrap()
        };
        let [ours, theirs] = [
            scores(model.forward(images.clone())),
            scores(onnx.forward(images.clone())),
        ];
        model.network = in_f64(model.network);
        let exact = scores(model.forward(images.cast(DType::F64)));
        let off = |values: &[f64]| {
            values
                .iter()
                .zip(&exact)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max)
        };
        let (network, file) = (off(&ours), off(&theirs));
        let spread = exact.iter().map(|score| (score - exact[0]).abs()).fold(0.0, f64::max);
        assert!(spread > 0.01 && file < spread / 20.0, "{what}: {file} of {spread}");
        assert!(
            file < 10.0 * network + 1e-6,
            "{what}: {file}, where the network itself is off by {network}"
        );
    }
}
