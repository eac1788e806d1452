//! The pictures in a run's folder: `augmented.png`, the first training images as the model sees them, and the curves
//! `loss.svg` and `accuracy.svg`, drawn anew after every epoch.

use std::path::PathBuf;

use anyhow::Result;
use capsnet::model::Architecture;
use capsnet::train::{EpochMetrics, RunFolder, TrainConfig};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MultiMnist, PairImages};
use capsnet_data::random::Seed;
use capsnet_report::{Axis, Cell, ColourImage, DigitGrid, LineChart, Series, Tone};

const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// Where the training images are drawn.
pub(super) fn augmented_path(folder: &RunFolder) -> PathBuf {
    folder.root().join("augmented.png")
}

/// Draws the first training images as the first epoch augments them, or pairs them.
pub(super) fn draw_augmented(folder: &RunFolder, config: &TrainConfig, data: &Dataset) -> Result<()> {
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
    Ok(grid.sheet()?.save_png(&augmented_path(folder))?)
}

fn augmented(config: &TrainConfig, data: &Dataset) -> Result<Vec<Cell>> {
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
fn paired(config: &TrainConfig, data: &Dataset) -> Result<Vec<Cell>> {
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

/// Draws both charts anew.
pub(super) fn draw_curves(folder: &RunFolder, config: &TrainConfig) -> Result<()> {
    let metrics = folder.metrics()?;
    let percent = |share: f64| 100.0 * share;
    let loss = chart(
        config,
        Axis::linear("loss"),
        [
            series("training", &metrics, |m| Some(m.train_loss)),
            series("validation", &metrics, |m| m.validation_loss),
        ],
    );
    let accuracy = chart(
        config,
        Axis::linear("accuracy, %"),
        [
            series("training (augmented)", &metrics, |m| Some(percent(m.train_accuracy))),
            series("validation", &metrics, |m| m.validation_accuracy.map(percent)),
        ],
    );
    loss.sheet()?.save_svg(&folder.root().join("loss.svg"))?;
    accuracy.sheet()?.save_svg(&folder.root().join("accuracy.svg"))?;
    Ok(())
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
