//! Curves in the page: drawn as SVG for a wide and for a narrow screen, with a legend and, for sweeps, their data.

use capsnet_measure::Sweep;

use crate::axis::Scale;
use crate::curves::{LineChart, Look, dash};
use crate::error::ReportError;
use crate::markup::{escaped, json_for_script};
use crate::sweep::{accuracy_chart, summary, table, true_class_chart, true_class_meaning, true_class_scale};

use super::tables;

/// Curves, summary, table and data of a sweep.
pub(super) fn sweep(sweep: &Sweep) -> Result<String, ReportError> {
    let accuracy = LineChart {
        title: format!("Accuracy by {}", sweep.family.name),
        ..accuracy_chart(sweep)
    };
    let true_class = true_class_chart(sweep).map(|chart| LineChart {
        title: format!("Mean of the true class by {}", sweep.family.name),
        ..chart
    });
    let mut plots = plot(&accuracy, "accuracy", 100.0)?;
    let mut measures = String::new();
    if let Some(chart) = true_class {
        plots += &plot(&chart, "true_class", true_class_scale(sweep))?;
        measures = "<div class=\"measures\" role=\"group\" aria-label=\"Quantity\" hidden=\"\">\
                    <button type=\"button\" data-measure=\"accuracy\">Accuracy</button>\
                    <button type=\"button\" data-measure=\"true_class\">Mean of the true class</button></div>\n"
            .to_owned();
    }
    let mut caption = "Bands and brackets are 95 % Wilson intervals of the accuracy.".to_owned();
    if let Some(meaning) = true_class_meaning(sweep) {
        caption += &format!(" The mean of the true class: {meaning}.");
    }
    let figure = figure(&measures, &plots, &legend(&accuracy), &caption);
    let values = match sweep.values().len() {
        1 => "The one value as a table".to_owned(),
        count => format!("All {count} values as a table"),
    };
    Ok(format!(
        "<div class=\"sweep\">\n{figure}{}<details>\n<summary>{values}</summary>\n{}</details>\n\
         <script type=\"application/json\" class=\"data\">\n{}</script>\n</div>\n",
        tables::markup(&summary(sweep)),
        tables::markup(&table(sweep)),
        json_for_script(&sweep.to_json()?)
    ))
}

/// A chart alone.
pub(super) fn chart(chart: &LineChart) -> Result<String, ReportError> {
    Ok(figure("", &plot(chart, "chart", 1.0)?, &legend(chart), &chart.caption))
}

fn figure(measures: &str, plots: &str, legend: &str, caption: &str) -> String {
    let caption = if caption.is_empty() {
        String::new()
    } else {
        format!("<figcaption>{}</figcaption>\n", escaped(caption))
    };
    format!("<figure class=\"curves\">\n{measures}<div class=\"plots\">\n{plots}</div>\n{legend}{caption}</figure>\n")
}

/// A chart twice, of which the style sheet shows the one that fits the screen. Linear axes say how values become
/// positions, for the script, and how the data's numbers become those values.
fn plot(chart: &LineChart, measure: &str, scale: f64) -> Result<String, ReportError> {
    let linear = chart.x.scale == Scale::Linear && chart.y.scale == Scale::Linear;
    let draw = |look: &Look, class: &str| {
        let (scene, frame) = chart.scene(look)?;
        let mut attributes = format!("class=\"{class}\"");
        if linear {
            attributes += &format!(
                " data-plot=\"{} {} {} {}\" data-x=\"{} {}\" data-y=\"{} {}\"",
                look.left, look.top, look.width, look.height, frame.x.low, frame.x.high, frame.y.low, frame.y.high
            );
        }
        Ok::<String, ReportError>(scene.to_inline_svg(&attributes))
    };
    let (wide, narrow) = (draw(&Look::WIDE, "wide")?, draw(&Look::NARROW, "narrow")?);
    Ok(format!(
        "<div class=\"plot\" data-measure=\"{measure}\" data-scale=\"{scale}\">\n{wide}{narrow}</div>\n"
    ))
}

/// The names beside pieces of their lines, as buttons that wait for the script.
fn legend(chart: &LineChart) -> String {
    let entries = chart.series.iter().enumerate().map(|(index, series)| {
        let lengths: Vec<String> = dash(index).iter().map(f64::to_string).collect();
        format!(
            "<li><button type=\"button\" data-series=\"{index}\" aria-pressed=\"true\" disabled=\"\">\
             <svg class=\"swatch\" viewBox=\"0 0 30 10\" width=\"30\" height=\"10\" aria-hidden=\"true\">\
             <path d=\"M1 5H29\" stroke-width=\"2.5\" stroke-dasharray=\"{}\"/></svg>\
             <span>{}</span></button></li>\n",
            lengths.join(" "),
            escaped(&series.name)
        )
    });
    let entries: String = entries.collect();
    format!("<ul class=\"legend\">\n{entries}</ul>\n")
}
