//! Parts of a batch against the whole.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;

use super::{Crew, Cut};
use crate::batch::{Batcher, Labelled, Samples};
use crate::model::{Architecture, EfficientCapsNetConfig, ImageShape, Model};
use crate::train::ranks::{Alone, Team};

const IMAGES: usize = 13;
const SIDE: usize = 16;

fn data() -> Dataset {
    let pixel = |at: usize| (at * 37 % 251 + at / 97 % 5) as u8;
    let pixels = (0..IMAGES * SIDE * SIDE).map(pixel).collect();
    let labels = (0..IMAGES).map(|image| (image % 3) as u8).collect();
    Dataset::new("numbers", [1, SIDE, SIDE], pixels, labels, ["a", "b", "c"]).unwrap()
}

fn config() -> EfficientCapsNetConfig {
    EfficientCapsNetConfig {
        image: ImageShape {
            channels: 1,
            height: SIDE,
            width: SIDE,
        },
        classes: 3,
        channels: [4, 8, 8, 8],
        primary_dimensions: 4,
        class_dimensions: 4,
        decoder: Some([6, 8]),
        ..EfficientCapsNetConfig::default()
    }
}

/// Gradients under their parameters' places.
struct Listed(GradientsParams, Vec<Vec<f32>>);

impl ModuleVisitor for Listed {
    fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
        if let Some(gradient) = self.0.get::<N>(param.id) {
            self.1.push(gradient.into_data().try_into_vec().unwrap());
        }
    }
}

fn listed<A: Architecture>(model: &Model<A>, gradients: GradientsParams) -> Vec<Vec<f32>> {
    let mut listed = Listed(gradients, Vec::new());
    burn::module::Module::visit(&model.network, &mut listed);
    listed.1
}

fn statistics<A: Architecture>(model: &Model<A>) -> Vec<f32> {
    let weights = model.state_dict();
    let running = weights.iter().filter(|(name, _)| name.contains("running"));
    running
        .flat_map(|(_, tensor)| tensor.as_f32().unwrap().to_vec())
        .collect()
}

#[track_caller]
fn assert_near(found: &[f32], wanted: &[f32], what: &str) {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let size = norm(&mut wanted.iter().copied());
    let apart = norm(&mut found.iter().zip(wanted).map(|(a, b)| a - b));
    assert!(found.len() == wanted.len() && size > 0.0, "{what}");
    assert!(apart <= 1e-5 * size, "{what}: {apart:e} of {size:e}");
}

/// Loss, gradients and running statistics of a network with batch norm, for parts of unequal sizes (13 images in 4) and
/// more parts than images: only if statistics are over all parts, and gradients go through them, can they agree.
#[test]
fn gradients_of_parts_are_those_of_the_batch() {
    let device = Device::flex().autodiff();
    let data = data();
    let augment = "none".parse().unwrap();
    for (images, parts) in [(IMAGES, 4), (IMAGES, 2), (3, 4), (8, 8)] {
        // Two models with the same weights: statistics are kept in them.
        let [whole, cut_up] = [0; 2].map(|_| Model::new(config(), Seed(3), &device).unwrap());
        let batcher = Batcher::new(&data, &augment, config().normalize, Seed(1));
        let indices: Vec<usize> = (0..images).collect();

        let batch = batcher.batch(0, &indices, &device);
        let output = crate::model::Network::forward(&whole, batch.images());
        let loss = batch.loss(&whole, &output);
        let loss_of_whole = loss.clone().into_scalar::<f32>();
        let gradients = listed(&whole, GradientsParams::from_grads(loss.backward(), &whole.network));

        let cut = Cut::of(parts, 0, 1);
        let total = std::thread::scope(|scope| {
            let crew: Crew<'_, _, Samples> = Crew::start(scope, cut, Team { ranks: &Alone });
            let samples = cut.slices(&indices).map(|slice| batcher.samples_alone(0, slice));
            crew.compute(&cut_up.network, samples.collect(), images, &device, true)
        });
        let what = format!("{images} images in {parts} parts");
        assert!(
            (total.loss - f64::from(loss_of_whole)).abs() < 1e-5 * total.loss,
            "{what}"
        );
        assert_eq!(total.correct, batch.correct(&output), "{what}");
        let lengths = crate::train::record::mean_lengths(&output, &batch.classes()).unwrap();
        let found = total.lengths.unwrap();
        assert!(found.iter().zip(lengths).all(|(a, b)| (a - b).abs() < 1e-5), "{what}");
        let found = listed(&cut_up, total.gradients);
        assert_eq!(found.len(), gradients.len());
        for (number, (found, wanted)) in found.iter().zip(&gradients).enumerate() {
            assert_near(found, wanted, &format!("{what}, parameter {number}"));
        }
        assert_near(&statistics(&cut_up), &statistics(&whole), &what);
    }
}
