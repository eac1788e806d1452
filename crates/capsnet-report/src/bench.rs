//! The times of steps, as text.

use capsnet_measure::bench::StepTimes;

use crate::error::ReportError;
use crate::number::{count, measure};
use crate::table::{Column, Table};

/// What was timed, and a table of the figures; `title` is the model's name in a text.
///
/// # Errors
///
/// None that times cause.
pub fn text(times: &StepTimes, title: &str) -> Result<String, ReportError> {
    let blocks = match times.group {
        1 => String::new(),
        group => format!(" in blocks of {group}"),
    };
    let heading = format!(
        "{title} ({} parameters) on {}, augmentation {}: {} threads, {}, {}, {} steps timed{blocks}",
        count(times.parameters as u64),
        times.dataset,
        times.augment,
        times.threads,
        times.instruction_set,
        times.precision,
        count(times.steps as u64),
    );
    let mut table = Table::new([
        Column::left("mode"),
        Column::right("batch"),
        Column::right("min ms"),
        Column::right("median ms"),
        Column::right("images/s"),
        Column::right("peak MB"),
        Column::right("first loss"),
        Column::right("last loss"),
    ]);
    let optional = |value: Option<f64>| value.map_or("-".to_owned(), measure);
    table.push([
        times.mode.name().to_owned(),
        count(times.batch_size as u64),
        measure(times.min_ms),
        measure(times.median_ms),
        measure(times.images_per_s),
        optional(times.peak_rss_mb),
        optional(times.loss_first),
        optional(times.loss_last),
    ])?;
    Ok(format!("{heading}\n\n{}", table.to_text()))
}
