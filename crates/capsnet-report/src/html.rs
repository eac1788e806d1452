//! Reports as one HTML file that needs nothing else: styles, script and pictures are inside, and a content security
//! policy in the page keeps browsers from fetching anything.
//!
//! Without JavaScript the page shows every curve as a picture and every point in a table. With it, a pointer or the
//! arrow keys read values off the curves, entries of the legend hide curves, a switch changes the quantity, and tables
//! sort by any column. What is hidden, chosen and pointed at stands in the URL's fragment, so that a link shows the same
//! view. Scripts find each sweep's JSON, as [`Sweep::to_json`] writes it, in a `<script type="application/json">`.

mod figures;
mod palette;
mod tables;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::canvas::Canvas;
use crate::curves::LineChart;
use crate::error::{ReportError, save};
use crate::markup::escaped;
use crate::table::Table;
use capsnet_measure::Sweep;

/// The page last: what it says of small screens and of paper holds for curves too.
const STYLE: &str = concat!(include_str!("html/curves.css"), include_str!("html/page.css"));
const SCRIPT: &str = concat!(
    include_str!("html/view.js"),
    include_str!("html/curves.js"),
    include_str!("html/page.js")
);
/// Nothing may be loaded; what runs and shows is what stands in the file.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A picture with its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    png: Vec<u8>,
    width: usize,
    height: usize,
    alt: String,
    caption: String,
}

impl Picture {
    /// A picture, what it shows (for those who cannot see it), and the caption under it, which may be empty.
    ///
    /// # Errors
    /// [`ReportError::Encode`], which memory alone does not cause.
    pub fn new(canvas: &Canvas, alt: impl Into<String>, caption: impl Into<String>) -> Result<Self, ReportError> {
        Ok(Self {
            png: canvas.to_png()?,
            width: canvas.width(),
            height: canvas.height(),
            alt: alt.into(),
            caption: caption.into(),
        })
    }

    fn markup(&self) -> String {
        let Self { width, height, .. } = self;
        let caption = if self.caption.is_empty() {
            String::new()
        } else {
            format!("<figcaption>{}</figcaption>\n", escaped(&self.caption))
        };
        format!(
            "<figure class=\"picture\">\n<img alt=\"{}\" width=\"{width}\" height=\"{height}\" \
             src=\"data:image/png;base64,{}\"/>\n{caption}</figure>\n",
            escaped(&self.alt),
            STANDARD.encode(&self.png)
        )
    }
}

/// What a section shows under its heading and its note.
#[derive(Debug, Clone, PartialEq)]
enum Content {
    Text,
    Sweep(Sweep),
    Chart(LineChart),
    Table(Table),
    Pictures(Vec<Picture>),
}

#[derive(Debug, Clone, PartialEq)]
struct Section {
    heading: String,
    note: String,
    content: Content,
}

/// A report: a title, the protocol, and sections in the order in which they are added. Headings and notes are plain
/// text; notes may be empty, and blank lines part their paragraphs.
///
/// ```
/// use capsnet_measure::{Family, Score, Sweep, SweepCurve, SweepPoint};
/// use capsnet_report::HtmlReport;
///
/// let mut sweep = Sweep::new(Family::degrees("rotation"));
/// let points = vec![SweepPoint::new(0.0, Score::new(10_000, 9931))?];
/// sweep.curves.push(SweepCurve::new("CapsNet", points));
/// let html = HtmlReport::new("Accuracy by angle")
///     .fact("Data", "MNIST, 10,000 test images")
///     .command("capsnet sweep --models capsnet --rotate=0..0:1")
///     .sweep("Rotation", "", sweep)
///     .to_html()?;
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), capsnet_report::ReportError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HtmlReport {
    title: String,
    lead: String,
    facts: Vec<(String, String)>,
    command: String,
    sections: Vec<Section>,
}

impl HtmlReport {
    /// A report without sections.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lead: String::new(),
            facts: Vec::new(),
            command: String::new(),
            sections: Vec::new(),
        }
    }

    /// Sets what the report says in a few sentences, under its title.
    #[must_use]
    pub fn lead(self, text: impl Into<String>) -> Self {
        let lead = text.into();
        Self { lead, ..self }
    }

    /// Adds a line to the protocol: what was measured, the data, the seed.
    #[must_use]
    pub fn fact(mut self, term: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push((term.into(), value.into()));
        self
    }

    /// Sets the command that makes the report again; it may have several lines.
    #[must_use]
    pub fn command(self, command: impl Into<String>) -> Self {
        let command = command.into();
        Self { command, ..self }
    }

    /// Adds a section of text.
    #[must_use]
    pub fn text(self, heading: impl Into<String>, text: impl Into<String>) -> Self {
        self.section(heading, text, Content::Text)
    }

    /// Adds the curves of a sweep, its summary and its table.
    #[must_use]
    pub fn sweep(self, heading: impl Into<String>, note: impl Into<String>, sweep: Sweep) -> Self {
        self.section(heading, note, Content::Sweep(sweep))
    }

    /// Adds a chart. Its title is read to those who cannot see it; its caption stands under it.
    #[must_use]
    pub fn chart(self, heading: impl Into<String>, note: impl Into<String>, chart: LineChart) -> Self {
        self.section(heading, note, Content::Chart(chart))
    }

    /// Adds a table.
    #[must_use]
    pub fn table(self, heading: impl Into<String>, note: impl Into<String>, table: Table) -> Self {
        self.section(heading, note, Content::Table(table))
    }

    /// Adds pictures, side by side where there is room.
    #[must_use]
    pub fn pictures(self, heading: impl Into<String>, note: impl Into<String>, pictures: Vec<Picture>) -> Self {
        self.section(heading, note, Content::Pictures(pictures))
    }

    fn section(mut self, heading: impl Into<String>, note: impl Into<String>, content: Content) -> Self {
        self.sections.push(Section {
            heading: heading.into(),
            note: note.into(),
            content,
        });
        self
    }

    /// The report as the text of an HTML file.
    ///
    /// # Errors
    /// [`ReportError::Empty`] if a chart or a sweep has no point that can be shown.
    pub fn to_html(&self) -> Result<String, ReportError> {
        let title = escaped(&self.title);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title}</title>\n\
             <style>\n{}{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n{}</header>\n<main>\n",
            palette::css(self.most_series()),
            paragraphs(&self.lead, "lead"),
        );
        page.push_str(&self.protocol());
        for (index, section) in self.sections.iter().enumerate() {
            let id = format!("section-{}", index + 1);
            let (heading, note) = (escaped(&section.heading), paragraphs(&section.note, "note"));
            page.push_str(&format!("<section id=\"{id}\">\n<h2>{heading}</h2>\n{note}"));
            page.push_str(&match &section.content {
                Content::Text => String::new(),
                Content::Sweep(sweep) => figures::sweep(sweep)?,
                Content::Chart(chart) => figures::chart(chart)?,
                Content::Table(table) => tables::markup(table),
                Content::Pictures(pictures) => {
                    let pictures: String = pictures.iter().map(Picture::markup).collect();
                    format!("<div class=\"pictures\">\n{pictures}</div>\n")
                }
            });
            page.push_str("</section>\n");
        }
        page.push_str(&format!("</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
        Ok(page)
    }

    /// Saves the report, replacing a file that is there.
    ///
    /// # Errors
    /// As [`HtmlReport::to_html`], and [`ReportError::Write`] with the path and the reason.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_html()?.as_bytes())
    }

    fn protocol(&self) -> String {
        if self.facts.is_empty() && self.command.is_empty() {
            return String::new();
        }
        let facts = self.facts.iter().map(|(term, value)| {
            let (term, value) = (escaped(term), escaped(value));
            format!("<div><dt>{term}</dt><dd>{value}</dd></div>\n")
        });
        let facts: String = facts.collect();
        let command = if self.command.is_empty() {
            String::new()
        } else {
            let lines: Vec<String> = self.command.lines().map(escaped).collect();
            let command = lines.join("\n");
            format!("<p class=\"again\">This command makes the report again:</p>\n<pre><code>{command}</code></pre>\n")
        };
        format!("<section class=\"protocol\">\n<h2>Protocol</h2>\n<dl>\n{facts}</dl>\n{command}</section>\n")
    }

    /// How many series the fullest chart has.
    fn most_series(&self) -> usize {
        let series = self.sections.iter().map(|section| match &section.content {
            Content::Sweep(sweep) => sweep.curves.len(),
            Content::Chart(chart) => chart.series.len(),
            _ => 0,
        });
        series.fold(0, usize::max)
    }
}

/// A text's paragraphs, which blank lines part.
fn paragraphs(text: &str, class: &str) -> String {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks
        .map(|block| format!("<p class=\"{class}\">{}</p>\n", escaped(block)))
        .collect()
}

#[cfg(test)]
mod tests;
