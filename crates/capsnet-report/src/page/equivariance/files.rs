//! What a measurement leaves in its folder.

use std::path::{Path, PathBuf};

use capsnet_measure::equivariance::{Measurements, QUANTITIES};

use super::{EquivariancePage, ROWS, charts, rows, units};
use crate::drawing::Sheet;
use crate::error::{ReportError, save};
use crate::sweep::field;

impl EquivariancePage<'_> {
    /// Writes the page, all figures as CSV, and every chart as SVG and PNG; returns the files, the page first.
    ///
    /// # Errors
    ///
    /// If something can't be drawn or written.
    pub fn save(&self, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let [page, table] = ["equivariance.html", "equivariance.csv"].map(|name| folder.join(name));
        self.html()?.save(&page)?;
        save(&table, csv(self.measured).as_bytes())?;
        let mut written = vec![page, table];
        for (name, sheet) in self.sheets()? {
            let [svg, png] = ["svg", "png"].map(|form| folder.join(format!("{name}.{form}")));
            sheet.save_svg(&svg)?;
            sheet.save_png(&png)?;
            written.extend([svg, png]);
        }
        Ok(written)
    }

    /// The charts that can be shown, each with its file's name.
    fn sheets(&self) -> Result<Vec<(String, Sheet)>, ReportError> {
        let Measurements { models, seed, .. } = self.measured;
        let caption = format!("{}, seed {seed}", self.images());
        // Several weights of one model are told apart by their place.
        let name = |number: usize| {
            let kind = &models[number].entry.model;
            let is_alone = models.iter().filter(|other| other.entry.model == *kind).count() == 1;
            if is_alone {
                kind.clone()
            } else {
                format!("{kind}-{}", number + 1)
            }
        };
        let mut all = Vec::new();
        for quantity in &QUANTITIES {
            let by_layer = rows::by_layer(quantity, self.measured, &format!("{ROWS}\n{caption}"));
            all.extend(by_layer.map(|sheet| (format!("{}-by-layer", quantity.name), sheet)));
            for (number, model) in models.iter().enumerate() {
                if let Some(chart) = charts::by_angle(quantity, model, self.measured.along.as_ref(), &caption) {
                    all.push((format!("{}-{}", quantity.name, name(number)), chart.sheet()?));
                }
            }
        }
        for (number, model) in models.iter().enumerate() {
            let sheet = units::sheet(model, self.measured, &caption)?;
            all.extend(sheet.map(|sheet| (format!("units-{}", name(number)), sheet)));
        }
        Ok(all)
    }
}

/// One row a figure; empty where a figure does not exist, and where chance is none of its own.
fn csv(measured: &Measurements) -> String {
    let mut csv = String::from("model,weights,layer,degrees,measure,value,chance\r\n");
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for model in &measured.models {
        for layer in &model.layers {
            for at in &layer.angles {
                let mut row = |name: &str, value: Option<f64>, chance: Option<f64>| {
                    let texts = [&model.entry.model, &model.entry.weights, &layer.layer].map(|text| field(text));
                    let numbers = [at.degrees.to_string(), name.to_owned(), number(value), number(chance)];
                    csv += &texts.into_iter().chain(numbers).collect::<Vec<_>>().join(",");
                    csv += "\r\n";
                };
                for quantity in &QUANTITIES {
                    row(quantity.name, (quantity.value)(layer, at), (quantity.chance)(layer, at));
                    for (_, name, figure) in quantity.beside {
                        row(name, figure(layer, at), None);
                    }
                }
            }
        }
    }
    csv
}
