//! Figures of protocols in a study's tables: errors under corruptions, flips along perturbations.

use capsnet_measure::study::{Outcome, Robustness, VariantOutcome};

use crate::number::{percent, percent_with_interval};

/// Under a table with figures of protocols.
const READING: &str = "Figures of protocols are means over the seeds, in brackets 95 % intervals by their \
    spread. Errors under corruptions and flips along perturbations are those of Hendrycks and Dietterich (2019), less \
    being better; consistency is how often the answers under two shifts are the same (Zhang 2019), more being better.";

/// The figures of protocols that some variant has, in order.
pub(super) fn all(outcome: &Outcome) -> Vec<&Robustness> {
    let mut all: Vec<&Robustness> = Vec::new();
    for figure in outcome.variants.iter().flat_map(|variant| &variant.robustness) {
        if !all.iter().any(|known| known.figure == figure.figure) {
            all.push(figure);
        }
    }
    all
}

/// A variant's own.
fn of_figure<'a>(variant: &'a VariantOutcome, figure: &Robustness) -> Option<&'a Robustness> {
    variant.robustness.iter().find(|own| own.figure == figure.figure)
}

/// A variant's mean by a figure, with its interval where there are several seeds; nothing where it lacks the figure.
pub(super) fn cell(variant: &VariantOutcome, figure: &Robustness) -> String {
    of_figure(variant, figure).map_or(String::new(), |own| match own.interval {
        Some(interval) => percent_with_interval(own.mean, interval),
        None => percent(own.mean, 2),
    })
}

/// The same of one of its runs.
pub(super) fn of_run(variant: &VariantOutcome, figure: &Robustness, run: usize) -> String {
    of_figure(variant, figure).map_or(String::new(), |own| percent(own.values[run], 2))
}

/// What the figures of protocols are, where there are any.
pub(super) fn reading(outcome: &Outcome) -> Option<String> {
    let figures = all(outcome);
    let reference = figures.iter().find_map(|figure| figure.reference.as_ref());
    (!figures.is_empty()).then(|| match reference {
        Some(reference) => format!(
            "{READING} 100 % of the errors and of the rate are those of {reference} with this library's \
             weights on the same images."
        ),
        None => READING.to_owned(),
    })
}
