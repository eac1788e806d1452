//! Two digits in one image, of different classes and of the same, at a row of distances.

use capsnet_measure::look::{Crowd, CrowdAnswer, Crowding};

use super::Figure;
use super::parts::{decoded, framed, grey, heading, labelled_tile, scored, shown};
use crate::colour::{ColourImage, FAINT, INK};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::tone::Tone;

const SCALE: f64 = 4.0;
const GAP: f64 = 10.0;
/// Height of a line under a tile.
const LINE: f64 = 21.0;
/// Room for a heading over a row.
const TOP: f64 = 26.0;

/// Draws two digits in one image at a row of distances.
///
/// # Errors
/// [`ReportError`] if images are not of the size that the numbers say.
pub fn crowding(numbers: &Crowding) -> Result<Figure, ReportError> {
    let names = numbers.names.iter().map(String::as_str).chain(["its capsule"]);
    let widths = names.map(|name| Font::Small.width(name) + 14.0);
    let layout = Layout {
        numbers,
        left: widths.fold(Font::Strong.width("a 0 and a 0") + 24.0, f64::max),
        tile: framed(numbers.size, SCALE),
    };
    let [a, b] = numbers.labels;
    let mut drawing = Drawing::new();
    heading(&mut drawing, (0.0, 0.0), format!("a {a} and a {b}"));
    for (column, crowd) in numbers.different.iter().enumerate() {
        let text = format!("{} px", crowd.distance);
        drawing.text((layout.middle(column), 0.0), Anchor::Middle, Font::Body, INK, text);
    }
    let bottom = layout.rows(&mut drawing, TOP, &numbers.different)?;
    heading(&mut drawing, (0.0, bottom + 30.0), format!("two {a}s"));
    layout.rows(&mut drawing, bottom + 30.0 + TOP, &numbers.equal)?;
    Ok(Figure {
        name: "crowding",
        inked: false,
        alt: "Two digits in one image at several distances, the models' answers, and what their capsules are decoded \
            to",
        sheet: drawing.sheet("Crowding: two digits in one image", caption(numbers)),
    })
}

/// Where columns stand.
struct Layout<'a> {
    numbers: &'a Crowding,
    left: f64,
    tile: (f64, f64),
}

impl Layout<'_> {
    fn x(&self, column: usize) -> f64 {
        self.left + column as f64 * (self.tile.0 + GAP)
    }

    fn middle(&self, column: usize) -> f64 {
        self.x(column) + self.tile.0 / 2.0
    }

    /// A row's name, before its first image or line.
    fn label(&self, drawing: &mut Drawing, y: f64, text: &str) {
        drawing.text((self.left - 10.0, y), Anchor::End, Font::Small, FAINT, text);
    }

    /// The middle of a row of images, for its name.
    fn beside(&self, top: f64) -> f64 {
        top + self.tile.1 / 2.0 - 8.0
    }

    /// Images, the answers to them, and what the capsules are decoded to; gives the bottom.
    fn rows(&self, drawing: &mut Drawing, top: f64, crowds: &[Crowd]) -> Result<f64, ReportError> {
        let under = top + self.tile.1 + 2.0;
        self.label(drawing, self.beside(top), "input");
        for (line, name) in self.numbers.names.iter().enumerate() {
            self.label(drawing, under + 2.0 * LINE * line as f64 + 2.0, name);
        }
        let redrawn = under + 2.0 * LINE * self.numbers.names.len() as f64 + 8.0;
        let mut bottom = redrawn;
        for (column, crowd) in crowds.iter().enumerate() {
            let tones = crowd.answers.iter().map(|answer| Tone::of(answer.right));
            let image = shown(self.numbers.size, &crowd.merged)?;
            let at = (self.x(column), top);
            labelled_tile(drawing, at, &image, SCALE, ("", Tone::of_all(tones)));
            for (line, answer) in crowd.answers.iter().enumerate() {
                let at = (self.middle(column), under + 2.0 * LINE * line as f64);
                answers(drawing, at, answer, crowd.is_equal());
            }
            bottom = self.redrawn(drawing, redrawn, column, crowd)?;
        }
        Ok(bottom)
    }

    /// A column of what the true classes' capsules are decoded to; gives its bottom.
    fn redrawn(&self, drawing: &mut Drawing, top: f64, column: usize, crowd: &Crowd) -> Result<f64, ReportError> {
        let size = self.numbers.size;
        let images = crowd.redrawn.iter().map(|redrawn| decoded(size, &redrawn.image));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let mut y = top;
        for (redrawn, image) in crowd.redrawn.iter().zip(&images) {
            let text = format!("{} {:.2}", redrawn.class, redrawn.score);
            let at = (self.x(column), y);
            labelled_tile(drawing, at, &ColourImage::from(image), SCALE, (&text, Tone::Neutral));
            if column == 0 {
                self.label(drawing, self.beside(y), &format!("{}'s capsule", redrawn.class));
            }
            y += self.tile.1 + 2.0 + LINE + 4.0;
        }
        let (name, last) = match &images[..] {
            [first, second] => ("both", ColourImage::overlay(first, second)?),
            [only] => (
                "difference",
                ColourImage::difference(&grey(size, &crowd.merged)?, only)?,
            ),
            _ => return Ok(y),
        };
        labelled_tile(drawing, (self.x(column), y), &last, SCALE, ("", Tone::Neutral));
        if column == 0 {
            self.label(drawing, self.beside(y), name);
        }
        Ok(y + self.tile.1 + 2.0)
    }
}

/// A model's two best classes under each other.
fn answers(drawing: &mut Drawing, at: (f64, f64), answer: &CrowdAnswer, is_equal: bool) {
    for (rank, &class) in answer.best.iter().enumerate() {
        // Of two equal digits only the first answer is judged.
        let tone = if rank > 0 && is_equal {
            Tone::Neutral
        } else {
            Tone::of(answer.right)
        };
        drawing.note((at.0, at.1 + LINE * rank as f64), &scored(class, &answer.scores), tone);
    }
}

fn caption(numbers: &Crowding) -> String {
    let [a, b] = numbers.indices;
    format!(
        "Test images {a} and {b} of {}, the light added and clipped, that many pixels apart. Beneath: every model's \
         two best classes with their scores (a probability, or a capsule's length or activation); green if they are \
         the two that are there, in any order, and for two equal digits if the best one is. Then what the decoder of \
         {} makes of each true class's capsule alone, with its length, and both together in two colours. A class has \
         one capsule and so can stand for one digit at a time only (the crowding assumption, Sabour, Frosst and \
         Hinton 2017, section 7): of two equal digits it draws one, between the two or a blend of both. Orange: light \
         that it leaves out, blue: light that it adds. Models that were trained on single digits, as those that come \
         with capsnet, have never seen such an image.",
        numbers.dataset, numbers.names[numbers.redrawer]
    )
}
