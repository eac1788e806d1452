//! `sweep.json`: the settings of a sweep, its models and the points measured so far.

use serde::{Deserialize, Serialize};

use super::{Sweep, SweepPoint};
use crate::interval::CONFIDENCE;
use crate::model::ModelEntry;

/// The form of the file; it changes when a field changes its meaning.
const VERSION: u32 = 1;

impl Record {
    /// The name of its file in the folder of a sweep.
    pub const FILE_NAME: &str = "sweep.json";
}

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
    /// What the classes of the images are called, in the order of their labels; empty in files of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
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
    /// What is done to each image, and which way is positive.
    #[serde(default)]
    pub about: String,
    /// The curves.
    #[serde(flatten)]
    pub sweep: Sweep,
}

impl Section {
    /// The family's name on the command line.
    #[must_use]
    pub fn family(&self) -> &str {
        self.flag.split('=').next().unwrap_or("")
    }
}

impl Settings {
    /// The name of the first setting that differs.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let differ = [
            ("version of the program", self.program != other.program),
            ("number of images", self.images != other.images),
            (
                "data set",
                self.dataset != other.dataset || self.data_sha256 != other.data_sha256,
            ),
            ("resampling", self.resample != other.resample),
            ("seed", self.seed != other.seed),
            ("device", self.device != other.device),
        ];
        differ.into_iter().find_map(|(name, differs)| differs.then_some(name))
    }
}

impl Record {
    /// A sweep without points; the curves of every section are those of the models, in order.
    #[must_use]
    pub const fn new(settings: Settings, models: Vec<ModelEntry>, sweeps: Vec<Section>) -> Self {
        Self {
            version: VERSION,
            confidence: CONFIDENCE,
            complete: false,
            settings,
            classes: Vec::new(),
            models,
            sweeps,
        }
    }

    /// The same, of images whose classes are called so.
    #[must_use]
    pub fn of_classes(mut self, names: &[String]) -> Self {
        self.classes = names.to_vec();
        self
    }

    /// Reads back what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// What is wrong, to be said after "the file ".
    pub fn from_json(json: &str) -> Result<Self, String> {
        let record: Self =
            serde_json::from_str(json).map_err(|error| format!("is not the result of a sweep: {error}"))?;
        if record.version != VERSION {
            return Err(format!("has version {} of the form, not {VERSION}", record.version));
        }
        let curves = |section: &Section| section.sweep.curves.len();
        if record
            .sweeps
            .iter()
            .any(|section| curves(section) != record.models.len())
        {
            return Err("doesn't have a curve for each of its models".to_owned());
        }
        Ok(record)
    }

    /// The record as JSON, indented, with a line feed at its end.
    ///
    /// # Errors
    /// None that a record causes.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The same without the answers to single images, for readers.
    #[must_use]
    pub fn without_answers(mut self) -> Self {
        for section in &mut self.sweeps {
            let sweep = std::mem::replace(&mut section.sweep, Sweep::new(crate::Family::new("", "")));
            section.sweep = sweep.without_answers();
        }
        self
    }

    /// A point of this family and this model that was measured already, whatever the model was called then.
    #[must_use]
    pub fn find(&self, family: &str, model: &ModelEntry, value: f64) -> Option<SweepPoint> {
        let sections = self.sweeps.iter().filter(|section| section.family() == family);
        let mut curves = sections.flat_map(|section| self.models.iter().zip(&section.sweep.curves));
        curves.find_map(|(entry, curve)| {
            let point = curve.at(value).filter(|_| entry.is_same_as(model))?;
            (point.score().images == self.settings.images).then(|| point.clone())
        })
    }

    /// Adds a point to the curve of a model.
    ///
    /// # Panics
    ///
    /// If there is no such section or model.
    pub fn add(&mut self, section: usize, model: usize, point: SweepPoint) {
        let points = &mut self.sweeps[section].sweep.curves[model].points;
        let place = points.partition_point(|other| other.value() < point.value());
        points.insert(place, point);
    }

    /// The number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        let curves = self.sweeps.iter().flat_map(|section| &section.sweep.curves);
        curves.map(|curve| curve.points.len()).sum()
    }

    /// Whether every point was measured.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Notes that every point is there.
    pub const fn finish(&mut self) {
        self.complete = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Answers;
    use crate::score::{Score, ScoreKind};
    use crate::sweep::{Family, SweepCurve};

    fn settings() -> Settings {
        Settings {
            program: "1".to_owned(),
            dataset: "digits".to_owned(),
            images: 10,
            data_sha256: "d".to_owned(),
            resample: "nearest".to_owned(),
            seed: 1,
            device: "cpu".to_owned(),
        }
    }

    fn entry(label: &str, sha256: &str) -> ModelEntry {
        ModelEntry {
            label: label.to_owned(),
            model: "lenet5".to_owned(),
            weights: "weights".to_owned(),
            sha256: sha256.to_owned(),
            parameters: 1,
            true_class: ScoreKind::Probability,
            trained_with: None,
            training_epochs: None,
            training_seconds: None,
        }
    }

    fn point(value: f64, correct: u64) -> SweepPoint {
        let score = Score {
            mean_true_score: Some(0.5),
            ..Score::new(10, correct)
        };
        let answers: Answers = (0..10).map(|image| image < correct).collect();
        SweepPoint::new(value, score).unwrap().with_answers(answers).unwrap()
    }

    /// Two models along two families, with three points.
    fn record() -> Record {
        let models = vec![entry("a", "1"), entry("b", "2")];
        let sections = ["rotate=0,15", "scale=1,2"].map(|flag| {
            let mut sweep = Sweep::new(Family::new(flag, ""));
            sweep.curves = models
                .iter()
                .map(|model| SweepCurve::new(model.label.clone(), vec![]))
                .collect();
            Section {
                flag: flag.to_owned(),
                about: String::new(),
                sweep,
            }
        });
        let mut record = Record::new(settings(), models, sections.into());
        record.add(0, 1, point(15.0, 7));
        record.add(0, 1, point(0.0, 9));
        record.add(1, 0, point(1.0, 8));
        record
    }

    #[test]
    fn points_are_found_by_family_weights_and_value() {
        let record = record();
        assert_eq!(record.points(), 3);
        let found = |family: &str, sha256: &str, value: f64| record.find(family, &entry("renamed", sha256), value);
        assert_eq!(found("rotate", "2", 0.0), Some(point(0.0, 9)));
        assert_eq!(found("scale", "1", 1.0), Some(point(1.0, 8)));
        assert_eq!(found("rotate", "1", 0.0), None, "the other model's point");
        assert_eq!(found("rotate", "2", 1.0), None);
        assert_eq!(found("shear", "2", 0.0), None);
        let other_model = ModelEntry {
            model: "capsnet".to_owned(),
            ..entry("b", "2")
        };
        assert_eq!(record.find("rotate", &other_model, 0.0), None);
        // Points of a curve are in order, however they came.
        let points = &record.sweeps[0].sweep.curves[1].points;
        assert_eq!(points.iter().map(SweepPoint::value).collect::<Vec<_>>(), [0.0, 15.0]);
    }

    #[test]
    fn weights_without_a_file_are_nobody_elses() {
        let mut record = record();
        record.models[1].sha256.clear();
        assert_eq!(record.find("rotate", &entry("b", ""), 0.0), None);
    }

    #[test]
    fn a_point_of_other_images_is_not_taken() {
        let mut record = record();
        record.add(1, 1, SweepPoint::new(2.0, Score::new(9, 9)).unwrap());
        assert_eq!(record.find("scale", &entry("b", "2"), 2.0), None);
    }

    #[test]
    fn every_setting_makes_a_difference() {
        type Change = fn(&mut Settings);
        let changes: [(Change, &str); 7] = [
            (|s| s.program.push('x'), "version"),
            (|s| s.dataset.push('x'), "data set"),
            (|s| s.images += 1, "number of images"),
            (|s| s.data_sha256.push('x'), "data set"),
            (|s| s.resample.push('x'), "resampling"),
            (|s| s.seed += 1, "seed"),
            (|s| s.device.push('x'), "device"),
        ];
        assert_eq!(settings().difference(&settings()), None);
        for (change, name) in changes {
            let mut other = settings();
            change(&mut other);
            assert!(settings().difference(&other).unwrap().contains(name), "{name}");
        }
    }

    #[test]
    fn a_record_reads_back_and_nothing_else_does() {
        let record = record();
        let json = record.to_json().unwrap();
        assert_eq!(Record::from_json(&json).unwrap(), record);
        let without = record.without_answers();
        assert!(!without.to_json().unwrap().contains("answers"));
        assert_eq!(without.sweeps[0].sweep.curves[1].points[0].answers(), None);
        for (wrong, reason) in [
            ("{}".to_owned(), "not the result of a sweep"),
            ("half a".to_owned(), "not the result of a sweep"),
            (json.replace("\"version\": 1", "\"version\": 2"), "version 2"),
            (
                json.replace("\"correct\": 9", "\"correct\": 8"),
                "the answers are others",
            ),
        ] {
            let error = Record::from_json(&wrong).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    /// As versions before this one wrote them: no `about`, no `loss`, no `answers`.
    #[test]
    fn earlier_files_load() {
        let json = include_str!("../../tests/fixtures/sweep_0_1.json");
        let record = Record::from_json(json).unwrap();
        assert_eq!(record.models.len(), 2);
        let lead = &record.sweeps[0].sweep.leads()[0];
        assert!(!lead.points.is_empty() && lead.points.iter().all(|point| point.paired.is_none()));
    }
}
