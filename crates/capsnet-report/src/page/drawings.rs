//! The page that shows the pictures of what capsules do.

use capsnet_measure::ModelEntry;

use crate::draw::Figure;
use crate::html::{HtmlReport, Picture};

/// A page of pictures, with the models that were asked and the command that makes it.
///
pub fn drawings<'a>(
    figures: impl IntoIterator<Item = &'a Figure>,
    models: &[&ModelEntry],
    dataset: &str,
    command: &str,
) -> HtmlReport {
    let mut report = HtmlReport::new("What capsules do")
        .lead("Pictures of a capsule network at work, beside a plain convolutional network.")
        .fact("Test images", dataset)
        .command(command);
    for model in models {
        report = report.fact(&model.label, &model.weights);
    }
    for figure in figures {
        let picture = Picture::new(&figure.sheet, figure.alt, figure.sheet.caption());
        let picture = if figure.inked { picture.inked() } else { picture };
        report = report.pictures(figure.sheet.title(), "", vec![picture]);
    }
    report
}
