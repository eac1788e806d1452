//! The HTML report.

use anyhow::Result;
use capsnet_report::number::count;
use capsnet_report::{Column, HtmlReport, Table};

use super::{Report, charts, tables};
use crate::args::EquivarianceArgs;
use crate::commands::again::CommandLine;
use capsnet_measure::equivariance::QUANTITIES;

const LEAD: &str = "How does each layer of a network answer when its input is rotated? An equivariant layer changes \
    in a way that can be foretold from the upright image, an invariant layer does not change, and a layer that is \
    neither has lost the pose or has not recognised the digit. Every measure stands beside what chance gives.";

pub fn html(report: &Report, args: &EquivarianceArgs) -> Result<HtmlReport> {
    let angles = format!("{} degrees, counter-clockwise", args.rotate);
    let images = format!(
        "{}, the first {} test images",
        report.dataset,
        count(report.images as u64)
    );
    let mut page = HtmlReport::new("Equivariance by layer and by angle")
        .lead(LEAD)
        .fact("Data", images)
        .fact("Rotation", format!("{angles}; {} resampling", report.resample))
        .fact(
            "Units",
            format!("at most {} of a layer, a seeded choice in whole capsules", report.units),
        )
        .fact("Seed", report.seed.to_string())
        .command(command(args).to_string());
    for measured in &report.models {
        page = page.fact(
            "Weights",
            format!("{}: {}", measured.entry.label, measured.entry.weights),
        );
    }
    for quantity in &QUANTITIES {
        page = match charts::by_layer(quantity, report) {
            Some(chart) => page.chart(quantity.title, quantity.note, chart),
            None => page.text(quantity.title, quantity.note),
        };
        let table = tables::table(quantity, report)?;
        page = page.table(
            format!("{} in figures", quantity.title),
            "Mean and what stands right of it are means over all angles that were measured, but 0 and full turns.",
            table,
        );
        for measured in &report.models {
            if let Some(chart) = charts::by_angle(quantity, measured, "") {
                page = page.chart(
                    format!("{} by angle: {}", quantity.title, measured.entry.label),
                    "",
                    chart,
                );
            }
        }
    }
    Ok(page.table("What was measured", UNITS, layers(report)?))
}

const UNITS: &str = "Layers with more units than are measured are represented by a seeded choice of them, in whole \
    capsules; linear maps may read up to eight times as many, for a rotation carries what a unit sees to other \
    places. Layers with :true after their name are the capsule of each image's class, measured class by class.";

/// What stands behind the figures of each layer.
fn layers(report: &Report) -> Result<Table> {
    let mut table = Table::new(
        ["model", "layer", "shape"].map(Column::left).into_iter().chain(
            [
                "units",
                "measured",
                "read by maps",
                "a vector",
                "maps fitted on",
                "tested on",
            ]
            .map(Column::right),
        ),
    );
    for measured in &report.models {
        for layer in &measured.layers {
            let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
            let counts = [
                layer.units,
                layer.measured_units,
                layer.source_units,
                layer.vector,
                layer.summary.fitted_on,
                layer.summary.tested_on,
            ];
            let names = [measured.entry.label.clone(), layer.layer.clone(), shape.join(" x ")];
            table.push(names.into_iter().chain(counts.map(|n| count(n as u64))))?;
        }
    }
    Ok(table)
}

/// The command that makes the report again.
fn command(args: &EquivarianceArgs) -> CommandLine {
    let layers = args.layers.join(",");
    CommandLine::new("equivariance")
        .words(args.models.words())
        .data(&args.data)
        .words([format!("--rotate={}", args.rotate)])
        .flag("--resample", args.resample)
        .words((!layers.is_empty()).then(|| format!("--layers={layers}")))
        .flag("--units", args.units)
        .flag("--seed", args.seed)
        .flag("--out", args.out.display())
}
