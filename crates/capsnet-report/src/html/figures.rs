//! Curves in the page: drawn as SVG for a wide and for a narrow screen, with a legend and, for sweeps, their data.

use capsnet_measure::Sweep;
use maud::{Markup, PreEscaped, html};

use super::tables;
use crate::axis::Scale;
use crate::curves::{LineChart, Look, stroke};
use crate::error::ReportError;
use crate::markup::json_for_script;
use crate::svg;
use crate::sweep::{accuracy_chart, summary, table, true_class_chart, true_class_meaning, true_class_scale};

/// Curves, summary, table and data of a sweep.
pub(super) fn sweep(sweep: &Sweep) -> Result<Markup, ReportError> {
    let accuracy = LineChart {
        title: format!("Accuracy by {}", sweep.family.name),
        ..accuracy_chart(sweep)
    };
    let true_class = true_class_chart(sweep).map(|chart| LineChart {
        title: format!("Mean of the true class by {}", sweep.family.name),
        ..chart
    });
    let (has_measures, mut plots) = (true_class.is_some(), plot(&accuracy, "accuracy", 100.0)?);
    if let Some(chart) = true_class {
        plots = html! { (plots) (plot(&chart, "true_class", true_class_scale(sweep))?) };
    }
    let measures = html! {
        @if has_measures {
            div.measures role="group" aria-label="Quantity" hidden="" {
                button type="button" data-measure="accuracy" { "Accuracy" }
                button type="button" data-measure="true_class" { "Mean of the true class" }
            }
            "\n"
        }
    };
    let mut caption = "Bands and brackets are 95 % Wilson intervals of the accuracy.".to_owned();
    if let Some(meaning) = true_class_meaning(sweep) {
        caption += &format!(" The mean of the true class: {meaning}.");
    }
    let values = match sweep.values().len() {
        1 => "The one value as a table".to_owned(),
        count => format!("All {count} values as a table"),
    };
    let data = json_for_script(&sweep.clone().without_answers().to_json()?);
    Ok(html! {
        div.sweep {
            "\n"
            (figure(measures, plots, &accuracy, &caption))
            (tables::markup(&summary(sweep)))
            details {
                summary { (values) }
                "\n"
                (tables::markup(&table(sweep)))
            }
            "\n"
            script.data type="application/json" { "\n" (PreEscaped(data)) }
        }
        "\n"
    })
}

/// A chart alone.
pub(super) fn chart(chart: &LineChart) -> Result<Markup, ReportError> {
    Ok(figure(html! {}, plot(chart, "chart", 1.0)?, chart, &chart.caption))
}

/// Plots under a switch of what they show, over a legend of `chart`'s series and a caption.
fn figure(measures: Markup, plots: Markup, chart: &LineChart, caption: &str) -> Markup {
    html! {
        figure.curves {
            (measures)
            div.plots { (plots) }
            "\n"
            (legend(chart))
            @if !caption.is_empty() {
                figcaption { (caption) }
            }
        }
        "\n"
    }
}

/// A chart twice, of which the style sheet shows the one that fits the screen. Linear axes say how values become
/// positions, for the script, and how the data's numbers become those values.
fn plot(chart: &LineChart, measure: &str, scale: f64) -> Result<Markup, ReportError> {
    let linear = chart.x.scale == Scale::Linear && chart.y.scale == Scale::Linear;
    let draw = |look: &Look, class: &str| {
        let (drawing, frame) = chart.plot(look)?;
        let hooks = [
            format!("{} {} {} {}", look.left, look.top, look.width, look.height),
            format!("{} {}", frame.x.low, frame.x.high),
            format!("{} {}", frame.y.low, frame.y.high),
        ];
        let size = (drawing.width(), drawing.height());
        Ok::<Markup, ReportError>(svg::inline(
            &chart.title,
            size,
            class,
            linear.then_some(hooks),
            &drawing.shapes,
        ))
    };
    let (wide, narrow) = (draw(&Look::WIDE, "wide")?, draw(&Look::NARROW, "narrow")?);
    Ok(html! {
        div.plot data-measure=(measure) data-scale=(scale) { (wide) (narrow) }
        "\n"
    })
}

/// The names beside pieces of their lines, as buttons that wait for the script.
fn legend(chart: &LineChart) -> Markup {
    html! {
        ul.legend {
            @for (index, series) in chart.series.iter().enumerate() {
                li {
                    button type="button" data-series=(index) aria-pressed="true" disabled="" {
                        svg.swatch viewBox="0 0 30 10" width="30" height="10" aria-hidden="true" {
                            path d="M1 5H29" stroke-width="2.5" stroke-dasharray=[svg::dashes(&stroke(index))] {}
                        }
                        span { (series.name) }
                    }
                }
                "\n"
            }
        }
        "\n"
    }
}
