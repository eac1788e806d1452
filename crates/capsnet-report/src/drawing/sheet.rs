//! A drawing as a picture of its own: title, drawing, caption.

use std::path::Path;

use super::{Anchor, Drawing};
use crate::canvas::{Canvas, Rgb};
use crate::colour::{FAINT, INK};
use crate::error::{ReportError, save};
use crate::scene::Scene;
use crate::text::{Font, wrap};

/// Paper around the whole.
const MARGIN: f64 = 20.0;
/// Between title and drawing, and between drawing and caption.
const GAP: f64 = 16.0;
/// Between the lines of a text.
const LEADING: f64 = 2.0;
/// A title or caption may make a narrow drawing this much wider before it is wrapped, in characters.
const WRAP_AT_LEAST: usize = 60;

/// A picture that can be saved.
#[derive(Debug, Clone)]
pub struct Sheet {
    scene: Scene,
    caption: String,
}

impl Sheet {
    pub(super) fn new(drawing: Drawing, title: String, caption: String) -> Self {
        let mut whole = Drawing::new();
        let width = drawing.width();
        let mut top = write(&mut whole, MARGIN, &title, Font::Title, INK, width);
        if top > MARGIN {
            top += GAP;
        }
        whole.place((MARGIN, top), &drawing);
        let mut bottom = whole.height() + GAP;
        for paragraph in caption.lines() {
            bottom = write(&mut whole, bottom, paragraph, Font::Small, FAINT, width);
        }
        let scene = Scene {
            width: (whole.width() + MARGIN).ceil(),
            height: (whole.height() + MARGIN).ceil(),
            title,
            shapes: whole.shapes,
        };
        Self { scene, caption }
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.scene.title
    }

    /// The caption.
    #[must_use]
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// Paints it.
    ///
    /// # Errors
    /// [`ReportError::TooLarge`] if the picture would be.
    pub fn draw(&self) -> Result<Canvas, ReportError> {
        self.scene.draw(1.0)
    }

    /// The text of an SVG file, its images inside.
    #[must_use]
    pub fn to_svg(&self) -> String {
        self.scene.to_svg()
    }

    /// Saves it as a PNG file, replacing one that is there.
    ///
    /// # Errors
    /// As [`Sheet::draw`], and [`ReportError::Write`] with the path and the reason.
    pub fn save_png(&self, path: &Path) -> Result<(), ReportError> {
        self.draw()?.save_png(path)
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
fn write(whole: &mut Drawing, top: f64, text: &str, font: Font, ink: Rgb, width: f64) -> f64 {
    let columns = (width as usize / font.advance()).max(WRAP_AT_LEAST);
    let mut y = top;
    for line in wrap(text, columns) {
        whole.text((MARGIN, y), Anchor::Start, font, ink, line);
        y += font.height() as f64 + LEADING;
    }
    y
}
