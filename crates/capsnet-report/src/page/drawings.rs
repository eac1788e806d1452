//! The page that shows the pictures of what capsules do.

use capsnet_measure::ModelEntry;

use crate::draw::Figure;
use crate::error::ReportError;
use crate::html::{HtmlReport, Picture};

/// A page of pictures, with the models that were asked and the command that makes it.
///
/// # Errors
/// [`ReportError::TooLarge`] if a picture is.
pub fn drawings<'a>(
    figures: impl IntoIterator<Item = &'a Figure>,
    models: &[&ModelEntry],
    dataset: &str,
    command: &str,
) -> Result<HtmlReport, ReportError> {
    let mut report = HtmlReport::new("What capsules do")
        .lead("Pictures of a capsule network at work, beside a plain convolutional network.")
        .fact("Test images", dataset)
        .command(command);
    for model in models {
        report = report.fact(&model.label, &model.weights);
    }
    for figure in figures {
        let picture = Picture::new(&figure.sheet, figure.alt, "")?;
        report = report.pictures(figure.sheet.title(), "", vec![picture]);
    }
    Ok(report)
}
