//! A training told in lines.

use std::time::Duration;

use capsnet::model::Architecture;
use capsnet::train::{Event, RunFolder, TrainConfig};
use capsnet_report::duration::duration;
use capsnet_report::number::{count, counted, percent};

/// What is told of an event in a line, if anything: the beginning of a training, every epoch, and what it came upon.
/// `best` stands behind an epoch that is the best so far.
///
/// ```
/// use capsnet::model::LeNet5Config;
/// use capsnet::train::{EpochMetrics, Event, RunFolder, TrainConfig};
/// use capsnet_dashboard::line;
///
/// # let home = tempfile::tempdir()?;
/// # let root = home.path().join("mine");
/// let config = TrainConfig::for_model(LeNet5Config::default().into());
/// let folder = RunFolder::create(&root, &config)?;
/// let metrics = EpochMetrics {
///     epoch: 1,
///     step: 938,
///     learning_rate: 1e-3,
///     train_loss: 0.25,
///     train_accuracy: Some(0.9),
///     validation_loss: Some(0.125),
///     validation_accuracy: Some(0.9876),
///     best: true,
///     seconds: 12.3,
/// };
/// let text = line(&Event::Epoch(&metrics), &config, &folder, "the best so far").unwrap();
/// assert!(text.starts_with("epoch 1/"));
/// assert!(text.contains("loss 0.2500, accuracy 90.00 %; validation loss 0.1250, accuracy 98.76 %"));
/// assert!(text.ends_with(", the best so far  (12.3 s)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn line(event: &Event, config: &TrainConfig, folder: &RunFolder, best: &str) -> Option<String> {
    Some(match event {
        Event::Started {
            position,
            images,
            parameters,
        } => format!(
            "{} {} ({} parameters) on {}, {} held out; {}",
            if position.step > 0 { "resuming" } else { "training" },
            config.model.title(),
            count(*parameters as u64),
            counted(*images as u64, "image"),
            count(config.validation as u64),
            folder.root().display()
        ),
        Event::Epoch(metrics) => {
            let accuracy = |share: Option<f64>| match share {
                Some(share) => format!(", accuracy {}", percent(share, 2)),
                None => String::new(),
            };
            let validation = match metrics.validation_loss {
                Some(loss) => format!("; validation loss {loss:.4}{}", accuracy(metrics.validation_accuracy)),
                None => String::new(),
            };
            let best = if metrics.best {
                format!(", {best}")
            } else {
                String::new()
            };
            format!(
                "epoch {}/{}: loss {:.4}{}{validation}{best}  ({})",
                metrics.epoch,
                config.epochs,
                metrics.train_loss,
                accuracy(metrics.train_accuracy),
                duration(Duration::from_secs_f64(metrics.seconds)),
            )
        }
        Event::Notice(notice) => format!("note: {notice}"),
        _ => return None,
    })
}
