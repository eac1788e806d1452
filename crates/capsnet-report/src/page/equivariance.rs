//! How layers answer to rotations, as a page, as files and as text.

mod charts;
mod files;
mod lie;
mod rows;
mod tables;
mod units;
mod verdict;

use capsnet_measure::Sample;
use capsnet_measure::equivariance::{Measurements, QUANTITIES};

use super::{capital, images_shown, listed};
use crate::error::ReportError;
use crate::html::{HtmlReport, Picture};
use crate::number::count;
use crate::table::{Column, Table};

const LEAD: &str = "How does each layer of a network answer when its input is rotated? An equivariant layer changes \
    in a way that can be foretold from the upright image, an invariant layer does not change, and a layer that is \
    neither has lost the pose or has not recognised the digit. Every measure stands beside what chance gives.";

/// A measurement, and what its figures don't say.
#[derive(Clone, Copy, Debug)]
pub struct EquivariancePage<'a> {
    /// What was measured.
    pub measured: &'a Measurements,
    /// The angles as they were asked for: "-180..180:15".
    pub angles: &'a str,
    /// Where the images are a sample.
    pub sample: Option<Sample>,
    /// The command that makes it once more.
    pub command: &'a str,
}

impl EquivariancePage<'_> {
    /// The page.
    ///
    /// # Errors
    ///
    /// None that measurements cause.
    pub fn html(&self) -> Result<HtmlReport, ReportError> {
        let measured = self.measured;
        let (what, unit) = match &measured.along {
            Some(family) => (capital(&family.name), family.unit.as_str()),
            None => ("Rotation".to_owned(), "degrees, counter-clockwise"),
        };
        let rotation = format!("{} {unit}; {} resampling", self.angles, measured.resample);
        let units = format!(
            "at most {} of a layer, a seeded choice in whole capsules",
            measured.units
        );
        let lead = match &measured.along {
            Some(family) => LEAD.replace("rotated", &format!("changed by this: {}", family.name)),
            None => LEAD.to_owned(),
        };
        let mut page = HtmlReport::new("Equivariance by layer and by angle")
            .lead(lead)
            .fact("Data", self.images())
            .fact(what, rotation)
            .fact("Units", units)
            .fact("Seed", measured.seed.to_string())
            .command(self.command);
        if !measured.classes.is_empty() {
            page = page.fact("Classes", listed(&measured.classes));
        }
        for model in &measured.models {
            page = page.fact("Weights", format!("{}: {}", model.entry.label, model.entry.weights));
        }
        let verdicts = format!("{}\n\n{}", verdict::in_words(measured), verdict::RULES);
        page = page.table("What the layers are", verdicts.trim(), verdict::table(measured)?);
        for quantity in &QUANTITIES {
            let note = match verdict::by(quantity, measured) {
                Some(verdict) => format!("{verdict}\n\n{}", quantity.note),
                None => quantity.note.to_owned(),
            };
            page = match rows::by_layer(quantity, measured, ROWS) {
                Some(sheet) => {
                    let alt = format!(
                        "{} of every layer, a row each; the table below has the figures",
                        quantity.title
                    );
                    page.pictures(quantity.title, note, vec![Picture::new(&sheet, alt, ROWS)])
                }
                None => page.text(quantity.title, note),
            };
            page = page.table(
                format!("{} in figures", quantity.title),
                "Mean and what stands right of it are means over all angles that were measured, but 0 and full turns.",
                tables::table(quantity, measured)?,
            );
            for model in &measured.models {
                if let Some(chart) = charts::by_angle(quantity, model, measured.along.as_ref(), "") {
                    page = page.chart(format!("{} by angle: {}", quantity.title, model.entry.label), "", chart);
                }
            }
        }
        for model in &measured.models {
            let heat = units::heat(model, measured)?.into_iter();
            let pictures: Vec<Picture> = heat
                .map(|heat| Picture::new(&heat.drawing.sheet("", ""), heat.alt, heat.sentence).inked())
                .collect();
            if !pictures.is_empty() {
                page = page.pictures(format!("Single units: {}", model.entry.label), units::NOTE, pictures);
            }
        }
        if lie::measured(measured) {
            page = page.table("Lie derivatives by layer", lie::RELATIVE, lie::relative(measured)?);
            page = page.table(
                "Local equivariance error of the answer",
                lie::ERROR,
                lie::error(measured)?,
            );
        }
        Ok(page.table("What was measured", UNITS, layers(measured)?))
    }

    /// What the layers are, and a table a measure.
    ///
    /// # Errors
    ///
    /// None that measurements cause.
    pub fn text(&self) -> Result<String, ReportError> {
        let Measurements { resample, units, .. } = self.measured;
        let mut text = format!(
            "{}, {resample} resampling; at most {units} units of a layer\n",
            self.images()
        );
        let verdicts = verdict::in_words(self.measured);
        if !verdicts.is_empty() {
            text += &format!("\n{verdicts}\n");
        }
        for quantity in &QUANTITIES {
            let table = tables::table(quantity, self.measured)?.to_text();
            text += &format!("\n{}\n\n", quantity.title);
            if let Some(verdict) = verdict::by(quantity, self.measured) {
                text += &format!("{verdict}\n\n");
            }
            text += &format!("{}\n", table.trim_end());
        }
        if lie::measured(self.measured) {
            let [relative, error] = [lie::relative(self.measured)?, lie::error(self.measured)?].map(|t| t.to_text());
            text += &format!(
                "\nLie derivatives over the spread between images\n\n{}\n",
                relative.trim_end()
            );
            text += &format!("\nLocal equivariance error of the answer\n\n{}\n", error.trim_end());
        }
        Ok(text)
    }

    fn images(&self) -> String {
        let Measurements { images, dataset, .. } = self.measured;
        images_shown(*images as u64, dataset, self.sample)
    }
}

const ROWS: &str = "Dots are means over the angles, their lines reach from the least to the most of all angles, and \
    grey strokes are chance.";

const UNITS: &str = "Layers with more units than are measured are represented by a seeded choice of them, in whole \
    capsules; linear maps may read up to eight times as many, for a rotation carries what a unit sees to other \
    places. Layers with :true after their name are the capsule of each image's class, measured class by class.";

/// What stands behind the figures of each layer.
fn layers(report: &Measurements) -> Result<Table, ReportError> {
    let mut table = Table::new(
        ["model", "layer", "shape"].map(Column::left).into_iter().chain(
            [
                "units",
                "measured",
                "read by maps",
                "a vector",
                "maps fitted on",
                "tested on",
            ]
            .map(Column::right),
        ),
    );
    for measured in &report.models {
        for layer in &measured.layers {
            let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
            let counts = [
                layer.units,
                layer.measured_units,
                layer.source_units,
                layer.vector,
                layer.summary.fitted_on,
                layer.summary.tested_on,
            ];
            let names = [measured.entry.label.clone(), layer.layer.clone(), shape.join(" x ")];
            table.push(names.into_iter().chain(counts.map(|n| count(n as u64))))?;
        }
    }
    Ok(table)
}
