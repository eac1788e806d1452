//! The times of steps, as text.

use capsnet_measure::bench::{MachinePeak, ProfileLine, StepProfile, StepTimes};

use crate::error::ReportError;
use crate::number::{count, counted, measure};
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
        "{title} ({} parameters) on {}, augmentation {}: {}, {}, {}, {} steps timed{blocks}",
        count(times.parameters as u64),
        times.dataset,
        times.augment,
        counted(times.threads as u64, "thread"),
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
    let profile = times.profile.as_ref().map(profile_text).transpose()?;
    let profile = profile.map_or(String::new(), |profile| format!("\n{profile}"));
    Ok(format!("{heading}\n\n{}{profile}", table.to_text()))
}

/// What a machine can do at most, in lines.
#[must_use]
pub fn peak_text(peak: &MachinePeak) -> String {
    let bf16 = match peak.bf16_gflops {
        Some(gflops) => format!("{} GFLOP/s", measure(gflops)),
        None => "no dot products in this instruction set".to_owned(),
    };
    format!(
        "{}, {}, the most that was measured:\n  f32, multiply-add     {} GFLOP/s\n  bf16, dot products    \
         {bf16}\n  reading memory        {} GB/s",
        counted(peak.threads as u64, "thread"),
        peak.instruction_set,
        measure(peak.f32_gflops),
        measure(peak.read_gb_per_s),
    )
}

fn profile_text(profile: &StepProfile) -> Result<String, ReportError> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut table = Table::new([
        Column::left("where the time goes"),
        Column::left("way"),
        Column::right("calls"),
        Column::right("ms"),
        Column::right("share"),
        Column::right("GFLOP/s"),
        Column::right("of the peak"),
    ]);
    let optional = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for line in &profile.lines {
        let ProfileLine { name, way, calls, .. } = line;
        table.push([
            name.clone(),
            optional(way.map(str::to_owned)),
            optional(calls.map(measure)),
            measure(line.ms),
            percent(line.share),
            optional(line.gflops.map(measure)),
            optional(line.share_of_peak.map(percent)),
        ])?;
    }
    Ok(format!(
        "{}\nA step takes {} GFLOP by its definition: {} of the peak of {} GFLOP/s in f32. Kernels that need fewer\n\
         products than the definition (Toom-Cook, Winograd) can come to more than the peak.",
        table.to_text(),
        measure(profile.gflop),
        percent(profile.share_of_peak),
        measure(profile.peak.f32_gflops),
    ))
}
