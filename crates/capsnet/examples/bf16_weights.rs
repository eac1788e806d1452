//! What weights in bf16 do to the answers of the CapsNet that ships: MNIST's test images, one by one.
//!
//! ```sh
//! cargo run --release -p capsnet --example bf16_weights    # in the root of the checkout; a minute or two
//! ```

use burn::prelude::*;
use capsnet::loaded::LoadedModel;
use capsnet::model::{Classifier, FrozenModel, Network, Precision};
use capsnet_data::dataset::Split;
use capsnet_data::source::{Options, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let loaded: LoadedModel = LoadedModel::load("weights/capsnet.safetensors".as_ref(), &device)?;
    let digits = load("data/mnist".as_ref(), Split::Test, &Options::default())?.data;
    let forms =
        [Precision::F32, Precision::Bf16].map(|precision| FrozenModel::with_precision(&loaded.model, precision));

    let (mut right, mut differ, mut most, mut sum) = ([0; 2], 0, 0f32, 0f64);
    for index in 0..digits.len() {
        let mut pixels = vec![0.0; 28 * 28];
        loaded.model.input().normalize.apply(digits.image(index), &mut pixels);
        let mut lengths = Vec::new();
        for form in &forms {
            let image = Tensor::from_data(TensorData::new(pixels.clone(), [1, 1, 28, 28]), &device);
            lengths.push(form.forward(image).scores.into_data().try_into_vec_as::<f32>()?);
        }
        let answers = [0, 1].map(|form| {
            let longest = (0..10).max_by(|&a, &b| lengths[form][a].total_cmp(&lengths[form][b]));
            longest.expect("there are ten")
        });
        for (right, answer) in right.iter_mut().zip(answers) {
            *right += usize::from(answer == usize::from(digits.label(index)));
        }
        differ += usize::from(answers[0] != answers[1]);
        for (single, half) in lengths[0].iter().zip(&lengths[1]) {
            most = most.max((single - half).abs());
            sum += f64::from((single - half).abs());
        }
    }
    let [single, half] = right;
    let mean = sum / (10 * digits.len()) as f64;
    println!(
        "right of {}: {single} in f32, {half} in bf16; answers that differ: {differ}",
        digits.len()
    );
    println!("lengths differ by {most:.4} at most, {mean:.6} in the mean");
    Ok(())
}
