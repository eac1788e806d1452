//! A drawing as a picture of its own: title, drawing, caption.

use std::path::Path;

use super::{Anchor, Drawing};
use crate::colour::{FAINT, INK};
use crate::error::{ReportError, save};
use crate::font::{Font, wrap};
use crate::rgb::Rgb;
use crate::{png, svg};

/// Paper around the whole.
const MARGIN: f64 = 20.0;
/// Between title and drawing, and between drawing and caption.
const GAP: f64 = 16.0;
/// Between the lines of a text.
const LEADING: f64 = 2.0;
/// A title or caption may make a narrow drawing this much wider before it is wrapped, in characters.
const WRAP_AT_LEAST: usize = 60;

/// A picture that can be saved: as SVG, and as a PNG of the same size, which is made from the SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    title: String,
    caption: String,
    drawing: Drawing,
    zoom: f64,
}

impl Sheet {
    pub(super) const fn new(drawing: Drawing, title: String, caption: String) -> Self {
        Self {
            title,
            caption,
            drawing,
            zoom: 1.0,
        }
    }

    /// One more paragraph under the drawing.
    pub(crate) fn add_to_caption(&mut self, paragraph: &str) {
        self.caption = format!("{}\n{paragraph}", self.caption);
    }

    /// With title and caption, on paper.
    fn whole(&self) -> Drawing {
        let drawing = &self.drawing;
        let mut whole = Drawing::new();
        let width = drawing.width();
        let mut top = write(&mut whole, "title", MARGIN, &self.title, (Font::Title, INK), width);
        if top > MARGIN {
            top += GAP;
        }
        whole.place((MARGIN, top), drawing);
        let mut bottom = whole.height() + GAP;
        for paragraph in self.caption.lines() {
            bottom = write(&mut whole, "caption", bottom, paragraph, (Font::Small, FAINT), width);
        }
        whole.reach(((whole.width() + MARGIN).ceil(), (whole.height() + MARGIN).ceil()));
        whole
    }

    /// The drawing alone, for a page that has its title and its caption as text.
    pub(crate) const fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    /// The same picture, so many times as large.
    #[must_use]
    pub fn zoomed(self, zoom: f64) -> Self {
        Self { zoom, ..self }
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The caption.
    #[must_use]
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (f64, f64) {
        let whole = self.whole();
        let side = |length: f64| (length * self.zoom).ceil();
        (side(whole.width()), side(whole.height()))
    }

    /// The text of an SVG file, its images inside.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let whole = self.whole();
        let size = (whole.width(), whole.height());
        svg::document(&self.title, size, self.zoom, &whole.shapes)
    }

    /// The bytes of a PNG file.
    ///
    /// # Errors
    /// [`ReportError::TooLarge`] if the picture would be.
    pub fn to_png(&self) -> Result<Vec<u8>, ReportError> {
        let (width, height) = self.size();
        png::check_size(width, height)?;
        png::of_svg(&self.to_svg())
    }

    /// Saves it as a PNG file, replacing one that is there.
    ///
    /// # Errors
    /// As [`Sheet::to_png`], and [`ReportError::Write`] with the path and the reason.
    pub fn save_png(&self, path: &Path) -> Result<(), ReportError> {
        save(path, &self.to_png()?)
    }

    /// Saves it as an SVG file, replacing one that is there.
    ///
    /// # Errors
    /// [`ReportError::Write`] with the path and the reason.
    pub fn save_svg(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_svg().as_bytes())
    }
}

/// Writes a text in as many lines as it takes, from `top`; gives its bottom.
fn write(whole: &mut Drawing, class: &'static str, top: f64, text: &str, (font, ink): (Font, Rgb), width: f64) -> f64 {
    let columns = ((width / font.advance()) as usize).max(WRAP_AT_LEAST);
    let mut y = top;
    for line in wrap(text, columns) {
        whole.text_of_class(class, (MARGIN, y), Anchor::Start, font, ink, line);
        y += font.height() + LEADING;
    }
    y
}
