//! What the command leaves in its folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use capsnet_report::LineChart;

use super::{Report, charts, report};
use crate::args::EquivarianceArgs;
use capsnet_measure::equivariance::QUANTITIES;

/// Writes everything, and its paths into the report.
pub fn write(measured: &mut Report, args: &EquivarianceArgs) -> Result<()> {
    let mut charts = Vec::new();
    let caption = format!(
        "{} test images of {}, seed {}",
        measured.images, measured.dataset, measured.seed
    );
    for quantity in &QUANTITIES {
        let by_layer = charts::by_layer(quantity, measured);
        charts.extend(by_layer.map(|chart| (format!("{}-by-layer", quantity.name), chart)));
        for (number, model) in measured.models.iter().enumerate() {
            // Several weights of one model are told apart by their place.
            let alone = measured
                .models
                .iter()
                .filter(|other| other.entry.model == model.entry.model)
                .count()
                == 1;
            let place = if alone {
                String::new()
            } else {
                format!("-{}", number + 1)
            };
            let by_angle = charts::by_angle(quantity, model, &caption);
            charts.extend(by_angle.map(|chart| (format!("{}-{}{place}", quantity.name, model.entry.model), chart)));
        }
    }
    let page = args.out.join("equivariance.html");
    report::html(measured, args)?.save(&page)?;
    let (json, csv) = (args.out.join("equivariance.json"), args.out.join("equivariance.csv"));
    let mut files = vec![page, json.clone(), csv.clone()];
    for (name, chart) in &charts {
        files.extend(save(chart, &args.out, name)?);
    }
    measured.files = files.iter().map(|file| file.display().to_string()).collect();
    let save =
        |path: &Path, text: String| fs::write(path, text).with_context(|| format!("can't write {}", path.display()));
    save(&csv, to_csv(measured))?;
    save(&json, serde_json::to_string_pretty(measured)?)
}

fn save(chart: &LineChart, folder: &Path, name: &str) -> Result<[std::path::PathBuf; 2]> {
    let files = ["svg", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
    chart.sheet()?.save_svg(&files[0])?;
    chart.sheet()?.save_png(&files[1])?;
    Ok(files)
}

/// One row a figure; empty where a figure does not exist, and where chance is none of its own.
fn to_csv(report: &Report) -> String {
    let mut csv = String::from("model,weights,layer,degrees,measure,value,chance\r\n");
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for measured in &report.models {
        for layer in &measured.layers {
            for at in &layer.angles {
                let mut row = |name: &str, value: Option<f64>, chance: Option<f64>| {
                    let texts = [&measured.entry.model, &measured.entry.weights, &layer.layer].map(|text| field(text));
                    let numbers = [at.degrees.to_string(), name.to_owned(), number(value), number(chance)];
                    csv += &texts.into_iter().chain(numbers).collect::<Vec<_>>().join(",");
                    csv += "\r\n";
                };
                for quantity in &QUANTITIES {
                    row(quantity.name, (quantity.value)(layer, at), (quantity.chance)(layer, at));
                    for (_, name, figure) in quantity.beside {
                        row(name, figure(layer, at), None);
                    }
                }
            }
        }
    }
    csv
}

/// A field of text, in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
