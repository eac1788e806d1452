//! `sweep.json`: the settings of a sweep and the points measured so far, written anew after every point.
//!
//! A sweep that is started again takes over the points that belong to the same settings and the same weights. Points of
//! other settings are never mixed in: then the file is kept under another name, and everything is measured.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet_data::file::atomic_write;
use capsnet_data::protocol;
use capsnet_measure::{CONFIDENCE, Family, Sweep, SweepCurve, SweepPoint};
use serde::{Deserialize, Serialize};

use crate::commands::contestant::ModelEntry;

/// The form of the file; it changes when a field changes its meaning.
const VERSION: u32 = 1;
const NAME: &str = "sweep.json";

/// A sweep as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// Of the intervals.
    confidence: f64,
    /// Whether every point was measured.
    complete: bool,
    /// What decides the points, beside the weights.
    pub settings: Settings,
    /// In the order of every sweep's curves.
    pub models: Vec<ModelEntry>,
    /// One a family.
    pub sweeps: Vec<Section>,
}

/// What decides the points of a sweep, beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The program's version.
    pub program: String,
    /// The data set's name.
    pub dataset: String,
    /// The number of images.
    pub images: u64,
    /// Of these images and their labels.
    pub data_sha256: String,
    /// How affine transforms read between the pixels.
    pub resample: String,
    /// Of random transforms.
    pub seed: u64,
    /// What computed.
    pub device: String,
}

/// One family of transforms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The family and its values as on the command line, `rotate=-180..180:5`.
    pub flag: String,
    /// The curves.
    #[serde(flatten)]
    pub sweep: Sweep,
}

impl Section {
    fn family(&self) -> &str {
        self.flag.split('=').next().unwrap_or("")
    }
}

impl Record {
    /// A sweep without points.
    pub fn new(settings: Settings, models: Vec<ModelEntry>, sweeps: &[protocol::Sweep], chance: f64) -> Self {
        let section = |asked: &protocol::Sweep| {
            let curve = |entry: &ModelEntry| SweepCurve {
                weights: entry.weights.clone(),
                true_class: entry.true_class,
                ..SweepCurve::new(entry.label.clone(), Vec::new())
            };
            let mut sweep = Sweep::new(reported(asked.family));
            sweep.chance = Some(chance);
            sweep.curves = models.iter().map(curve).collect();
            Section {
                flag: asked.to_string(),
                sweep,
            }
        };
        Self {
            version: VERSION,
            confidence: CONFIDENCE,
            complete: false,
            settings,
            sweeps: sweeps.iter().map(section).collect(),
            models,
        }
    }

    /// Where it lies in a sweep's folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// A point of this family and this model that was measured already, whatever the model was called then.
    pub fn find(&self, family: &str, model: &ModelEntry, value: f64) -> Option<SweepPoint> {
        let sections = self.sweeps.iter().filter(|section| section.family() == family);
        let mut curves = sections.flat_map(|section| self.models.iter().zip(&section.sweep.curves));
        curves.find_map(|(entry, curve)| {
            let same = entry.sha256 == model.sha256 && entry.model == model.model;
            let point = curve.at(value).filter(|_| same)?;
            (point.score().images == self.settings.images).then_some(*point)
        })
    }

    /// Adds a point to the curve of a model.
    pub fn add(&mut self, section: usize, model: usize, point: SweepPoint) {
        let points = &mut self.sweeps[section].sweep.curves[model].points;
        let place = points.partition_point(|other| other.value() < point.value());
        points.insert(place, point);
    }

    /// The number of points.
    pub fn points(&self) -> usize {
        let curves = self.sweeps.iter().flat_map(|section| &section.sweep.curves);
        curves.map(|curve| curve.points.len()).sum()
    }

    /// Notes that every point is there.
    pub fn finish(&mut self) {
        self.complete = true;
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = Self::path(folder);
        let text = serde_json::to_string_pretty(self)? + "\n";
        let written: io::Result<()> = atomic_write(&path, |file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("can't write {}", path.display()))
    }
}

/// The family as the report knows it.
fn reported(family: protocol::Family) -> Family {
    let unit = match family.unit() {
        "degrees" => "°",
        unit => unit,
    };
    Family::new(family.title(), unit).with_identity(family.identity())
}

/// What an earlier sweep left in the folder.
pub enum Earlier {
    /// Nothing.
    Nothing,
    /// A sweep with these settings.
    Same(Box<Record>),
    /// Something that can't be gone on with, and why.
    Other(String),
}

/// Looks for an earlier sweep of these settings.
pub fn earlier(folder: &Path, settings: &Settings) -> Result<Earlier> {
    let path = Record::path(folder);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Earlier::Nothing),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Ok(Earlier::Other("it is not text".to_owned()));
        }
        Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
    };
    Ok(match serde_json::from_str::<Record>(&text) {
        Err(error) => Earlier::Other(format!("it is not the result of a sweep: {error}")),
        Ok(record) if record.version != VERSION => {
            Earlier::Other(format!("its form has version {}, not {VERSION}", record.version))
        }
        Ok(record) => match difference(&record.settings, settings) {
            Some(name) => Earlier::Other(format!("it was measured with another {name}")),
            None => Earlier::Same(Box::new(record)),
        },
    })
}

/// The name of the first setting that differs.
fn difference(a: &Settings, b: &Settings) -> Option<&'static str> {
    let differ = [
        ("version of the program", a.program != b.program),
        ("number of images", a.images != b.images),
        ("data set", a.dataset != b.dataset || a.data_sha256 != b.data_sha256),
        ("--resample", a.resample != b.resample),
        ("--seed", a.seed != b.seed),
        ("--device", a.device != b.device),
    ];
    differ.into_iter().find_map(|(name, differs)| differs.then_some(name))
}

/// Copies the earlier file to a name that is free, so that what it holds isn't lost; returns that name.
pub fn keep(folder: &Path) -> Result<PathBuf> {
    let names = std::iter::once("sweep.before.json".to_owned()).chain((2..).map(|n| format!("sweep.before-{n}.json")));
    let mut paths = names.map(|name| folder.join(name));
    let (from, to) = (
        Record::path(folder),
        paths
            .find(|path| !path.exists())
            .expect("there are more names than files"),
    );
    std::fs::copy(&from, &to).with_context(|| format!("can't copy {} to {}", from.display(), to.display()))?;
    Ok(to)
}

#[cfg(test)]
mod tests;
