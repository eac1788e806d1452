//! The pictures of a training: the first images as the model sees them, and the curves of its epochs.

use capsnet::model::Architecture;
use capsnet::train::{EpochMetrics, RunFolder, TrainConfig};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MultiMnist, PairImages};
use capsnet_data::random::Seed;
use capsnet_report::{Axis, Cell, ColourImage, DigitGrid, LineChart, Series, Sheet, Tone};

use crate::Error;

const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// The first training images as the first epoch augments them, or pairs them.
///
/// # Errors
///
/// If there are too few images to make pairs of.
pub fn first_images(config: &TrainConfig, data: &Dataset) -> Result<Sheet, Error> {
    let cells = match config.trains_on_pairs() {
        true => paired(config, data)?,
        false => augmented(config, data)?,
    };
    let mut grid = DigitGrid::new(
        format!("first training images of {}, augmented", data.name()),
        COLUMNS,
        cells,
    );
    grid.caption = format!("augment {}, seed {}", config.augment, config.seed);
    Ok(grid.sheet()?)
}

/// The curves of loss and, where the model names classes, of accuracy in percent, a point an epoch; each with the name
/// of its file.
///
/// ```
/// use capsnet::model::LeNet5Config;
/// use capsnet::train::{EpochMetrics, TrainConfig};
/// use capsnet_pictures::training::curves;
///
/// let config = TrainConfig::for_model(LeNet5Config::default().into());
/// let epoch = |epoch: u64| EpochMetrics {
///     epoch,
///     step: 100 * epoch,
///     learning_rate: 1e-3,
///     train_loss: 1.0 / epoch as f64,
///     train_accuracy: Some(0.9),
///     validation_loss: None,
///     validation_accuracy: None,
///     best: true,
///     seconds: 1.0,
/// };
/// let charts = curves(&config, &[epoch(1), epoch(2)]);
/// let [("loss", loss), ("accuracy", accuracy)] = &charts[..] else { panic!() };
/// assert_eq!(loss.series[0].points, [(1.0, 1.0), (2.0, 0.5)]);
/// assert_eq!(accuracy.series.len(), 1); // no validation, so no curve of it
/// ```
pub fn curves(config: &TrainConfig, metrics: &[EpochMetrics]) -> Vec<(&'static str, LineChart)> {
    let percent = |share: f64| 100.0 * share;
    let loss = chart(
        config,
        Axis::linear("loss"),
        [
            series("training", metrics, |m| Some(m.train_loss)),
            series("validation", metrics, |m| m.validation_loss),
        ],
    );
    if !config.model.names_classes() {
        return vec![("loss", loss)];
    }
    let accuracy = chart(
        config,
        Axis::linear("accuracy, %"),
        [
            series("training (augmented)", metrics, |m| m.train_accuracy.map(percent)),
            series("validation", metrics, |m| m.validation_accuracy.map(percent)),
        ],
    );
    vec![("loss", loss), ("accuracy", accuracy)]
}

/// Draws the first training images as `augmented.png` in the run's folder, unless that is there already.
///
/// # Errors
///
/// As [`first_images`], and if the file can't be written.
pub fn save_first_images(folder: &RunFolder, config: &TrainConfig, data: &Dataset) -> Result<(), Error> {
    let path = folder.root().join("augmented.png");
    match path.exists() {
        true => Ok(()),
        false => Ok(first_images(config, data)?.save_png(&path)?),
    }
}

/// Draws the curves of a run as `loss.svg` and, where its model names classes, `accuracy.svg` in its folder, anew.
///
/// # Errors
///
/// If the run's metrics can't be read, or a file can't be written.
pub fn save_curves(folder: &RunFolder, config: &TrainConfig) -> Result<(), Error> {
    let charts = curves(config, &folder.metrics()?);
    for (name, chart) in charts {
        chart.sheet()?.save_svg(&folder.root().join(format!("{name}.svg")))?;
    }
    Ok(())
}

fn augmented(config: &TrainConfig, data: &Dataset) -> Result<Vec<Cell>, Error> {
    let mut cells = Vec::new();
    for index in 0..data.len().min(COLUMNS * ROWS) {
        let image = config.augment.image(data, Seed(config.seed), 0, index);
        let image = ColourImage::of_planes(data.width(), data.height(), &image)?;
        let name = &data.class_names()[usize::from(data.label(index))];
        cells.push(Cell::new(image).line(name, Tone::Neutral));
    }
    Ok(cells)
}

/// The pairs whose first digits are the first training images.
fn paired(config: &TrainConfig, data: &Dataset) -> Result<Vec<Cell>, Error> {
    let training = data.slice(0..config.training_images(data.len())?);
    let pairs = MultiMnist::new(&training, Seed(config.seed))?;
    let mut images = PairImages::default();
    let mut cells = Vec::new();
    for index in 0..training.len().min(COLUMNS * ROWS) {
        let pair = pairs.training(0, index);
        pairs.draw(&pair, &mut images);
        let image = ColourImage::of_planes(pairs.width(), pairs.height(), &images.merged)?;
        let [first, second] = pair.labels.map(|label| &data.class_names()[usize::from(label)]);
        cells.push(Cell::new(image).line(format!("{first}, {second}"), Tone::Neutral));
    }
    Ok(cells)
}

fn series(name: &str, metrics: &[EpochMetrics], value: impl Fn(&EpochMetrics) -> Option<f64>) -> Series {
    let points = metrics.iter().filter_map(|m| Some((m.epoch as f64, value(m)?)));
    Series::new(name, points.collect::<Vec<_>>())
}

fn chart(config: &TrainConfig, y: Axis, series: [Series; 2]) -> LineChart {
    LineChart {
        title: format!("{}, {} epochs", config.model.title(), config.epochs),
        caption: format!(
            "augment {}, batch {}, learning rate {} ({}), seed {}",
            config.augment, config.batch_size, config.learning_rate, config.schedule, config.seed
        ),
        x: Axis::linear("epoch"),
        y,
        series: series.into_iter().filter(|s| !s.points.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capsnet::model::ModelConfig;

    #[test]
    fn a_model_that_names_no_classes_has_no_accuracy_to_draw() {
        let model = ModelConfig::named("transforming-autoencoder").unwrap();
        // As older runs have it.
        let epoch: EpochMetrics = serde_json::from_str(
            r#"{"epoch": 1, "step": 5, "learning_rate": 0.1, "train_loss": 2.0, "train_accuracy": 0.1,
                "validation_loss": 3.0, "validation_accuracy": 0.1, "best": true, "seconds": 1.0}"#,
        )
        .unwrap();
        let charts = curves(&TrainConfig::for_model(model), &[epoch]);
        assert_eq!(charts.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["loss"]);
        assert_eq!(charts[0].1.series.len(), 2);
    }
}
