//! Reports as one HTML file that needs nothing else: styles, script and pictures are inside, and a content security
//! policy in the page keeps browsers from fetching anything.
//!
//! Without JavaScript the page shows every curve as a picture and every point in a table. With it, a pointer or the
//! arrow keys read values off the curves, entries of the legend hide curves, a switch changes the quantity, and tables
//! sort by any column. What is hidden, chosen and pointed at stands in the URL's fragment, so that a link shows the
//! same view. Scripts find each sweep's JSON, as [`Sweep::to_json`] writes it, in a `<script type="application/json">`.

mod figures;
mod palette;
mod tables;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::curves::LineChart;
use crate::drawing::{Drawing, Sheet};
use crate::error::{ReportError, save};
use crate::markup::valid;
use crate::svg;
use crate::table::Table;
use capsnet_measure::Sweep;

/// The page last: what it says of small screens and of paper holds for curves too.
const STYLE: &str = concat!(include_str!("html/curves.css"), include_str!("html/page.css"));
const SCRIPT: &str = concat!(
    include_str!("html/view.js"),
    include_str!("html/curves.js"),
    include_str!("html/page.js")
);
/// A page of so many sections begins with a list of them.
const LONG: usize = 4;
/// Nothing may be loaded; what runs and shows is what stands in the file.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A picture with its texts, drawn in the page itself: its letters are the page's, and it is as dark as the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    drawing: Drawing,
    alt: String,
    caption: String,
    inked: bool,
}

impl Picture {
    /// A picture, what it shows (for those who cannot see it), and the caption under it, which may be empty. The
    /// sheet's own title and caption stay away, for a page has both as text.
    pub fn new(sheet: &Sheet, alt: impl Into<String>, caption: impl Into<String>) -> Self {
        Self {
            drawing: sheet.drawing().clone(),
            alt: alt.into(),
            caption: caption.into(),
            inked: false,
        }
    }

    /// The same picture, whose images are ink on white paper: on dark paper they are turned with all that is drawn,
    /// where others stay as they are.
    #[must_use]
    pub fn inked(self) -> Self {
        Self { inked: true, ..self }
    }

    fn markup(&self) -> Markup {
        let size = (self.drawing.width().ceil(), self.drawing.height().ceil());
        html! {
            figure.picture style={ "--width:" (size.0) "px" } {
                div.sheet.inked[self.inked] tabindex="0" role="group" aria-label="Picture, wider than a small screen" {
                    (svg::inline(&self.alt, size, "", None, &self.drawing.shapes))
                }
                // Waits for the script.
                button.full type="button" hidden="" { "Full size" }
                @if !self.caption.is_empty() {
                    @for paragraph in self.caption.lines() {
                        figcaption { (paragraph) }
                    }
                }
            }
            "\n"
        }
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
        let contents: Vec<Markup> = self.sections.iter().map(Section::markup).collect::<Result<_, _>>()?;
        let palette = palette::css(self.most_series());
        let page = html! {
            (DOCTYPE) "\n"
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    "\n"
                    style { "\n" (PreEscaped(palette)) (PreEscaped(STYLE)) }
                }
                "\n"
                body {
                    header {
                        h1 { (self.title) }
                        (paragraphs(&self.lead, "lead"))
                    }
                    "\n"
                    main {
                        (self.contents())
                        (self.protocol())
                        @for (index, (section, content)) in self.sections.iter().zip(contents).enumerate() {
                            section id={ "section-" (index + 1) } {
                                h2 { (section.heading) }
                                (paragraphs(&section.note, "note"))
                                (content)
                            }
                            "\n"
                        }
                    }
                    "\n"
                    script { "\n" (PreEscaped(SCRIPT)) }
                    "\n"
                }
                "\n"
            }
            "\n"
        };
        Ok(valid(page.into_string()))
    }

    /// Saves the report, replacing a file that is there.
    ///
    /// # Errors
    /// As [`HtmlReport::to_html`], and [`ReportError::Write`] with the path and the reason.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_html()?.as_bytes())
    }

    /// Links to the sections of a long page.
    fn contents(&self) -> Markup {
        html! {
            @if self.sections.len() >= LONG {
                nav.contents aria-labelledby="contents" {
                    h2 id="contents" { "Contents" }
                    ol {
                        @for (index, section) in self.sections.iter().enumerate() {
                            li { a href={ "#section-" (index + 1) } { (section.heading) } }
                        }
                    }
                }
                "\n"
            }
        }
    }

    fn protocol(&self) -> Markup {
        html! {
            @if !(self.facts.is_empty() && self.command.is_empty()) {
                section.protocol {
                    h2 { "Protocol" }
                    dl {
                        @for (term, value) in &self.facts {
                            div { dt { (term) } dd { (value) } }
                        }
                    }
                    @if !self.command.is_empty() {
                        p.again { "This command makes the report again:" }
                        pre { code { (self.command) } }
                    }
                }
                "\n"
            }
        }
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

impl Section {
    fn markup(&self) -> Result<Markup, ReportError> {
        Ok(match &self.content {
            Content::Text => html! {},
            Content::Sweep(sweep) => figures::sweep(sweep)?,
            Content::Chart(chart) => figures::chart(chart)?,
            Content::Table(table) => tables::markup(table),
            Content::Pictures(pictures) => html! {
                div.pictures {
                    @for picture in pictures {
                        (picture.markup())
                    }
                }
            },
        })
    }
}

/// A text's paragraphs, which blank lines part.
fn paragraphs(text: &str, class: &str) -> Markup {
    html! {
        @for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            p class=(class) { (block) }
            "\n"
        }
    }
}

#[cfg(test)]
mod tests;
