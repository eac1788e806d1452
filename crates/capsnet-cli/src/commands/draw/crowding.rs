//! `capsnet draw crowding`.

mod scene;

use anyhow::Result;
use burn::prelude::Device;
use capsnet::model::Architecture;
use capsnet_data::dataset::Dataset;
use capsnet_report::Font;
use capsnet_report::colour::{FAINT, INK};
use capsnet_report::{Anchor, ColourImage, Drawing, Tone};
use serde::Serialize;

use super::made::Made;
use super::pieces::{decoded, grey, heading, note, squared_error, tile, tile_size};
use super::subject::{Subject, has_decoder};
use scene::{Answer, Crowd, crowd, pair, whole_distances};

const SCALE: f64 = 4.0;
const GAP: f64 = 10.0;
/// Height of a line under a tile.
const LINE: f64 = 21.0;

#[derive(Serialize)]
struct Numbers {
    dataset: String,
    indices: [usize; 2],
    labels: [usize; 2],
    models: Vec<&'static str>,
    weights: Vec<String>,
    /// Two digits of different classes at every distance.
    different: Vec<Entry>,
    /// The first digit twice at every distance.
    equal: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    distance: i32,
    /// The share of the two digits' light that is inside the image.
    inside: f64,
    /// Of every model.
    answers: Vec<Answer>,
    /// Summed squared difference between each digit alone and what its class's capsule decodes to.
    squared_errors: Vec<f64>,
}

/// Draws two digits in one image at a row of distances.
pub fn make(
    subjects: &[Subject],
    data: &Dataset,
    indices: &[usize],
    distances: &[f64],
    device: &Device,
) -> Result<Made> {
    let indices = pair(data, indices)?;
    let labels = indices.map(|index| usize::from(data.label(index)));
    let distances = whole_distances(distances, data.width())?;
    let redrawer = redrawer(subjects)?;
    let side = (data.width(), data.height());
    let layout = Layout {
        left: label_width(subjects).max(Font::Strong.width("a 0 and a 0") + 24.0),
        size: tile_size(side.0, side.1, SCALE),
        side,
    };
    let mut drawing = Drawing::new();
    let [a, b] = labels;
    heading(&mut drawing, (0.0, 0.0), format!("a {a} and a {b}"));
    for (column, distance) in distances.iter().enumerate() {
        let centre = layout.x(column) + layout.size.0 / 2.0;
        drawing.text((centre, 0.0), Anchor::Middle, Font::Body, INK, format!("{distance} px"));
    }
    let different = crowds(data, indices, &distances)?;
    let bottom = layout.inputs(&mut drawing, 26.0, subjects, &different, device)?;
    let (bottom, different) = layout.redrawn(&mut drawing, bottom, subjects, redrawer, different, device)?;
    let top = bottom + 30.0;
    heading(&mut drawing, (0.0, top), format!("two {a}s"));
    let equal = crowds(data, [indices[0]; 2], &distances)?;
    let bottom = layout.inputs(&mut drawing, top + 26.0, subjects, &equal, device)?;
    let (_, equal) = layout.redrawn(&mut drawing, bottom, subjects, redrawer, equal, device)?;
    let caption = format!(
        "Test images {} and {} of {}, the light added and clipped, that many pixels apart. Beneath: every model's two best \
         classes with their scores (a probability, or the length of a capsule); green if they are the two that are there, in \
         any order, and for two equal digits if the best one is. Then what the decoder of {} makes of each true class's capsule \
         alone, with its length, and both together in two colours. A class has one capsule and so can stand for one \
         digit at a time only (the crowding assumption, Sabour, Frosst and Hinton 2017, section 7): of two equal digits it \
         draws one, between the two or a blend of both. Orange: light that it leaves out, blue: light that it adds. Models \
         that were trained on single digits, as those that come with capsnet, have never seen such an image.",
        indices[0],
        indices[1],
        data.name(),
        subjects[redrawer].label()
    );
    let numbers = Numbers {
        dataset: data.name().to_owned(),
        indices,
        labels,
        models: subjects.iter().map(|subject| subject.model.config.name()).collect(),
        weights: subjects.iter().map(|subject| subject.weights().to_owned()).collect(),
        different,
        equal,
    };
    let alt =
        "Two digits in one image at several distances, the models' answers, and what their capsules are decoded to";
    let sheet = drawing.sheet("Crowding: two digits in one image", caption);
    Made::new("crowding", alt, sheet, &numbers)
}

/// The first model with capsules and a decoder.
fn redrawer(subjects: &[Subject]) -> Result<usize> {
    let found = subjects.iter().position(|subject| has_decoder(&subject.model.config));
    found.ok_or_else(|| {
        anyhow::anyhow!(
            "none of the weights are of a model with capsules and a decoder; name such a file with --weights"
        )
    })
}

fn crowds(data: &Dataset, indices: [usize; 2], distances: &[i32]) -> Result<Vec<Crowd>> {
    distances
        .iter()
        .map(|&distance| crowd(data, indices, distance))
        .collect()
}

fn label_width(subjects: &[Subject]) -> f64 {
    let names = subjects.iter().map(|subject| subject.label());
    let widths = names.chain(["its capsule"]).map(|name| Font::Small.width(name));
    widths.fold(0.0, f64::max) + 14.0
}

/// Where columns stand.
struct Layout {
    left: f64,
    size: (f64, f64),
    side: (usize, usize),
}

impl Layout {
    fn x(&self, column: usize) -> f64 {
        self.left + column as f64 * (self.size.0 + GAP)
    }

    fn row_label(&self, drawing: &mut Drawing, y: f64, text: &str) {
        drawing.text((self.left - 10.0, y), Anchor::End, Font::Small, FAINT, text);
    }

    /// A row of images and the answers to them; gives its bottom.
    fn inputs(
        &self,
        drawing: &mut Drawing,
        y: f64,
        subjects: &[Subject],
        crowds: &[Crowd],
        device: &Device,
    ) -> Result<f64> {
        let under = y + self.size.1 + 2.0;
        self.row_label(drawing, y + self.size.1 / 2.0 - 8.0, "input");
        for (line, subject) in subjects.iter().enumerate() {
            let first = under + 2.0 * LINE * line as f64;
            self.row_label(drawing, first + 2.0, subject.label());
        }
        for (column, crowd) in crowds.iter().enumerate() {
            let answers = crowd.answers(subjects, device);
            let tones = answers.iter().map(|answer| Tone::of(answer.right));
            let image = ColourImage::from(&grey(self.side, &crowd.merged)?);
            drawing.place((self.x(column), y), &tile(&image, SCALE, Tone::of_all(tones)));
            for (line, answer) in answers.iter().enumerate() {
                for (rank, &class) in answer.best.iter().enumerate() {
                    let text = format!("{class} {:.2}", answer.scores[class]);
                    let y = under + LINE * (2 * line + rank) as f64;
                    // Of two equal digits only the first answer is judged.
                    let tone = if rank > 0 && crowd.is_equal() {
                        Tone::Neutral
                    } else {
                        Tone::of(answer.right)
                    };
                    note(drawing, self.x(column) + self.size.0 / 2.0, y, text, tone);
                }
            }
        }
        Ok(under + 2.0 * LINE * subjects.len() as f64 + 8.0)
    }

    /// Rows of what the true classes' capsules are decoded to; gives their bottom and all numbers.
    fn redrawn(
        &self,
        drawing: &mut Drawing,
        top: f64,
        subjects: &[Subject],
        redrawer: usize,
        crowds: Vec<Crowd>,
        device: &Device,
    ) -> Result<(f64, Vec<Entry>)> {
        let subject = &subjects[redrawer];
        let (mut entries, mut bottom) = (Vec::new(), top);
        for (column, crowd) in crowds.into_iter().enumerate() {
            let view = subject.view(std::slice::from_ref(&crowd.merged), device).remove(0);
            let capsules = subject.capsules(&view)?;
            let classes = crowd.classes();
            let chosen: Vec<_> = classes.iter().map(|&class| (class, capsules[class].clone())).collect();
            let values = subject.decode(&chosen, device)?;
            let images = values.iter().map(|values| decoded(self.side, values));
            let images = images.collect::<Result<Vec<_>>>()?;
            let mut rows: Vec<(String, ColourImage, String)> = Vec::new();
            for (class, image) in classes.iter().zip(&images) {
                let text = format!("{class} {:.2}", view.scores[*class]);
                rows.push((format!("{class}'s capsule"), ColourImage::from(image), text));
            }
            let last = match &images[..] {
                [first, second] => ("both".to_owned(), ColourImage::overlay(first, second)?, String::new()),
                _ => {
                    let merged = grey(self.side, &crowd.merged)?;
                    let difference = ColourImage::difference(&merged, &images[0])?;
                    ("difference".to_owned(), difference, String::new())
                }
            };
            rows.push(last);
            let mut y = top;
            for (label, image, text) in &rows {
                drawing.place((self.x(column), y), &tile(image, SCALE, Tone::Neutral));
                if column == 0 {
                    self.row_label(drawing, y + self.size.1 / 2.0 - 8.0, label);
                }
                let centre = self.x(column) + self.size.0 / 2.0;
                y += self.size.1 + 2.0;
                if !text.is_empty() {
                    note(drawing, centre, y, text, Tone::Neutral);
                    y += LINE + 4.0;
                }
            }
            bottom = y;
            entries.push(Entry {
                distance: crowd.distance,
                inside: crowd.inside,
                answers: crowd.answers(subjects, device),
                squared_errors: crowd
                    .parts
                    .iter()
                    .zip(values.iter().cycle())
                    .map(|(part, values)| squared_error(part, values))
                    .collect(),
            });
        }
        Ok((bottom, entries))
    }
}
