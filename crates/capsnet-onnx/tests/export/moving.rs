//! The transforming auto-encoder: an image and a move in, three outputs.

use capsnet::model::{AnyNetwork, TransformingAutoencoderConfig};
use rten::ValueOrView;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor as Array};

use super::*;

#[test]
fn moved_images_and_poses() {
    let device = Device::flex();
    let image = ImageShape {
        channels: 1,
        height: 20,
        width: 16,
    };
    let normalize = Normalize::new(0.5, 0.25).unwrap();
    for config in [
        TransformingAutoencoderConfig::translation(),
        TransformingAutoencoderConfig::affine(),
    ] {
        let config = TransformingAutoencoderConfig {
            image,
            normalize,
            capsules: 5,
            recognition_units: 7,
            generation_units: 6,
            ..config
        };
        let kind = config.moves;
        let model = uneven(&made(config));
        let AnyNetwork::TransformingAutoencoder(network) = &model.network else {
            panic!("it is one");
        };
        let images = pixels(4, image, &device);
        let moves: Vec<_> = (0..4).map(|index| kind.draw(Seed(1), 7, index)).collect();
        let poses = network.poses((images.clone() - 0.5) / 0.25);
        let ours = [
            network.draw(&poses, &moves).into_data(),
            poses.presence.into_data(),
            poses.pose.into_data(),
        ];

        let bytes = export(&model.config, &model.state_dict()).unwrap();
        let onnx = rten::Model::load(bytes).unwrap();
        let shown = NdTensor::from_data([4, 1, 20, 16], images.into_data().try_into_vec_as::<f32>().unwrap());
        let by: Vec<f32> = moves.iter().flat_map(|by| by.0.map(|number| number as f32)).collect();
        let by = NdTensor::from_data([4, 6], by);
        let inputs: Vec<(_, ValueOrView)> = vec![
            (onnx.node_id("pixels").unwrap(), shown.into()),
            (onnx.node_id("move").unwrap(), by.into()),
        ];
        let outputs = ["image", "presence", "pose"].map(|name| onnx.node_id(name).unwrap());
        let theirs = onnx.run(inputs, &outputs, None).unwrap();
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            let theirs: Array<f32> = theirs.try_into().unwrap();
            let shape: Vec<usize> = ours.shape().iter().copied().collect();
            assert_eq!(theirs.shape(), shape);
            let ours = ours.try_into_vec_as::<f32>().unwrap();
            let differs = ours.iter().zip(theirs.to_vec()).map(|(a, b)| (a - b).abs());
            assert!(differs.fold(0.0, f32::max) < 1e-5, "{kind:?}");
            assert!(
                ours.iter().any(|value| (value - ours[0]).abs() > 0.01),
                "all are the same"
            );
        }
    }
}

#[test]
fn it_is_no_classifier() {
    let model = made(TransformingAutoencoderConfig::translation());
    let folder = tempdir().unwrap();
    let path = folder.path().join("moving.onnx");
    fs::write(&path, export(&model.config, &model.state_dict()).unwrap()).unwrap();
    let error = OnnxClassifier::load(&path, None).unwrap_err().to_string();
    assert!(error.contains("moving.onnx: this ONNX model has 2 inputs"), "{error}");
}
