//! A sweep as a page, as files and as text.

mod files;
mod pictures;

use capsnet_measure::sweep::{Lead, Record, Section};
use capsnet_measure::{ExampleRow, Sample, Sweep};

pub use files::Saved;

use super::{capital, images_shown, listed, model_in_words, short};
use crate::error::ReportError;
use crate::html::HtmlReport;
use crate::sweep::{
    CIRCLE, DIFFERENCES, accuracies, circles, comparison, differences, table_at, true_class_meaning, value,
};

/// What the intervals don't say.
const CAVEAT: &str = "The intervals speak of the test images, as a sample of such images. They say nothing of how far \
    the curves would move with another seed of the training.";
/// The angles of which a reader asks first, in both directions; the tutorial's are 15, -23 and 35.
const KEY_ANGLES: [f64; 13] = [
    -180.0, -90.0, -45.0, -35.0, -23.0, -15.0, 0.0, 15.0, 23.0, 35.0, 45.0, 90.0, 180.0,
];
/// Rows of the table of other families.
const KEY_VALUES: usize = 9;

/// A sweep, and what its record doesn't say.
#[derive(Clone, Copy, Debug)]
pub struct SweepPage<'a> {
    /// What was measured.
    pub record: &'a Record,
    /// Where the images are a sample.
    pub sample: Option<Sample>,
    /// The command that makes it once more.
    pub command: &'a str,
    /// A few images of each section, as the models saw them: a row a value.
    pub examples: &'a [Vec<ExampleRow>],
}

impl SweepPage<'_> {
    /// The page.
    ///
    /// # Errors
    ///
    /// If the examples can't be drawn.
    pub fn html(&self) -> Result<HtmlReport, ReportError> {
        let Record {
            settings,
            models,
            sweeps,
            ..
        } = self.record;
        let labels: Vec<&str> = models.iter().map(|entry| entry.label.as_str()).collect();
        let families: Vec<&str> = sweeps
            .iter()
            .map(|section| section.sweep.family.name.as_str())
            .collect();
        let mut page = HtmlReport::new(format!("{} by {}", listed(&labels), listed(&families)))
            .lead(self.lead(&labels))
            .fact("Measured", self.measured())
            .fact("Data", self.data());
        if !self.record.classes.is_empty() {
            page = page.fact("Classes", listed(&self.record.classes));
        }
        for section in sweeps {
            let values = section.flag.split_once('=').map_or("", |(_, values)| values);
            page = page.fact(
                capital(&section.sweep.family.name),
                format!("{}. Values: {values}.", capital(&section.about)),
            );
        }
        page = page
            .fact("Resampling", capital(&sampler(&settings.resample)))
            .fact("Seed", format!("{}, for transforms that draw at random", settings.seed))
            .fact("Intervals", "95 %, Wilson's score interval");
        for entry in models {
            page = page.fact(entry.label.clone(), model_in_words(entry));
        }
        page = page.command(self.command);
        for (number, section) in sweeps.iter().enumerate() {
            let sweep = &section.sweep;
            let heading = capital(&sweep.family.name);
            let key = key_values(section);
            let mut note = leads(sweep);
            if let Some(words) = left_out(key.len(), sweep.values().len()) {
                note = format!("{words}\n\n{note}").trim_end().to_owned();
            }
            let turns = section.circles(&self.record.classes);
            if let Some(table) = circles(&turns, &self.record.classes) {
                page = page.table(format!("{heading}: the full turn"), CIRCLE, table);
            }
            page = page.table(format!("{heading}: the figures"), note, table_at(sweep, &key));
            if let Some(table) = differences(sweep, &key) {
                page = page.table(format!("{heading}: the differences"), DIFFERENCES, table);
            }
            page = page.sweep(format!("{heading}: the curves"), CAVEAT, sweep.clone());
            if let Some(rows) = self.examples.get(number) {
                let picture = pictures::picture(&sweep.family, &labels, &self.record.classes, rows)?;
                page = page.pictures(format!("{heading}: what the models saw"), "", vec![picture]);
            }
        }
        Ok(page)
    }

    /// The tables of the values to read first, and where one model is ahead of another.
    #[must_use]
    pub fn text(&self) -> String {
        let settings = &self.record.settings;
        let mut text = format!(
            "{}, {} resampling, seed {}; in brackets 95 % Wilson intervals\n",
            self.images(),
            settings.resample,
            settings.seed
        );
        for section in &self.record.sweeps {
            let sweep = &section.sweep;
            let key = key_values(section);
            let table = accuracies(sweep, &key).to_text();
            text += &format!("\n{}: {}\n\n{}\n", section.flag, section.about, table.trim_end());
            if let Some(words) = left_out(key.len(), sweep.values().len()) {
                text += &format!("\n{words}\n");
            }
            if let Some(table) = circles(&section.circles(&self.record.classes), &self.record.classes) {
                text += &format!("\n{CIRCLE}\n\n{}\n", table.to_text().trim_end());
            }
            if let Some(table) = differences(sweep, &key) {
                text += &format!("\n{DIFFERENCES}\n\n{}\n", table.to_text().trim_end());
            }
            if sweep.curves.len() > 1 {
                text += &format!("\n{}\n", leads(sweep).replace("\n\n", "\n"));
            }
        }
        text
    }

    fn images(&self) -> String {
        let settings = &self.record.settings;
        images_shown(settings.images, &settings.dataset, self.sample)
    }

    /// In words: what was measured, on what, and how.
    fn lead(&self, labels: &[&str]) -> String {
        let settings = &self.record.settings;
        let mut text = format!("{} on {}.", listed(labels), self.images());
        for section in &self.record.sweeps {
            let family = capital(&section.sweep.family.name);
            text += &format!(" {family}: {}; {}.", section.about, range(section));
        }
        text + &format!(
            " Pixels are read by {} sampling; bands and brackets are 95 % confidence intervals; random transforms have \
             seed {}.",
            match settings.resample.as_str() {
                "nearest" => "nearest-neighbour",
                other => other,
            },
            settings.seed
        )
    }

    fn measured(&self) -> String {
        let mut sections = self.record.sweeps.iter();
        match sections.find_map(|section| true_class_meaning(&section.sweep)) {
            Some(meaning) => format!("Accuracy, and the mean of what a model says of the true class ({meaning})"),
            None => "Accuracy".to_owned(),
        }
    }

    fn data(&self) -> String {
        let sha256 = short(&self.record.settings.data_sha256);
        format!("{} (SHA-256 of pixels and labels {sha256})", self.images())
    }
}

/// "73 values from -180° to +180°".
fn range(section: &Section) -> String {
    let family = &section.sweep.family;
    let values = section.sweep.values();
    match values.as_slice() {
        [] => "nothing was measured".to_owned(),
        [only] => format!("measured at {}", value(family, *only)),
        [first, .., last] => {
            let (first, last) = (value(family, *first), value(family, *last));
            format!("measured at {} values from {first} to {last}", values.len())
        }
    }
}

/// The values to read first, of those that were measured.
fn key_values(section: &Section) -> Vec<f64> {
    let sweep = &section.sweep;
    let measured = sweep.values();
    let angles = KEY_ANGLES.into_iter().filter(|angle| measured.contains(angle));
    let key: Vec<f64> = angles.filter(|_| section.family() == "rotate").collect();
    if key.len() > 2 { key } else { sweep.spread(KEY_VALUES) }
}

/// That a table has fewer rows than there are values, where it does.
fn left_out(rows: usize, values: usize) -> Option<String> {
    (rows < values).then(|| format!("{rows} of the {values} values; all of them are in sweep.csv and in the curves."))
}

/// Where one model is ahead of another, a paragraph for every two.
fn leads(sweep: &Sweep) -> String {
    let words = |lead: &Lead| comparison(lead, &sweep.family);
    sweep.leads().iter().map(words).collect::<Vec<_>>().join("\n\n")
}

fn sampler(resample: &str) -> String {
    let name = match resample {
        "nearest" => "nearest neighbour",
        other => other,
    };
    format!("{name}; what comes in from beyond the image is black")
}
