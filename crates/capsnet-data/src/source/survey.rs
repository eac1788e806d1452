//! What a data set is seen to be: its classes, how many images of each there are, how large they are.

use std::path::Path;

use serde::Serialize;

use super::{Found, Loaded, Options, find};
use crate::dataset::{Dataset, DatasetError, Split};

/// What a data set is seen to be.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// What it is called.
    pub name: String,
    /// The kind of source that it was read as.
    pub source: &'static str,
    /// Planes of an image: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// The classes, by label.
    pub classes: Vec<ClassCount>,
    /// Whether the names of the classes came with the images; they are presumed otherwise.
    pub named: bool,
    /// Images to train on.
    pub train: usize,
    /// Images to test on.
    pub test: usize,
    /// What there is to remark, in sentences without a full stop.
    pub remarks: Vec<String>,
    /// The parts that there are.
    #[serde(skip)]
    pub parts: Vec<(Split, Dataset)>,
}

/// A class and its images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// What it is called.
    pub name: String,
    /// Its images to train on.
    pub train: usize,
    /// Its images to test on.
    pub test: usize,
}

/// Reads both parts of a data set and says what it sees.
///
/// # Errors
///
/// [`DatasetError`] if there is no data set, or a part that is there can't be read.
pub fn survey(path: &Path, options: &Options) -> Result<Survey, DatasetError> {
    let found = find(path)?;
    let mut remarks: Vec<String> = Vec::new();
    let mut parts: Vec<(Split, Dataset)> = Vec::new();
    let mut lacks = None;
    for split in Split::ALL {
        match found.check(split) {
            Ok(()) => {
                let Loaded {
                    data, remarks: more, ..
                } = found.load(split, options)?;
                for remark in more {
                    if !remarks.contains(&remark) {
                        remarks.push(remark);
                    }
                }
                parts.push((split, data));
            }
            // A part may lack, but not both.
            Err(error) => match lacks.replace(error) {
                Some(first) => return Err(first),
                None => continue,
            },
        }
    }
    remarks.extend(lacks.map(|error| error.to_string()));
    if let [(_, train), (_, test)] = &parts[..]
        && train.shape() != test.shape()
    {
        let [of_train, of_test] = [train, test].map(|part| part.shape().map(|size| size.to_string()).join(" x "));
        remarks.push(format!(
            "images to train on are {of_train}, those to test on {of_test}: --image CxHxW makes them one size"
        ));
    }
    Ok(of_parts(&found, parts, remarks))
}

fn of_parts(found: &Found, parts: Vec<(Split, Dataset)>, mut remarks: Vec<String>) -> Survey {
    let data = &parts[0].1;
    let counts = |split: Split| {
        let part = parts.iter().find(|(of, _)| *of == split);
        part.map_or_else(|| vec![0; data.class_names().len()], |(_, data)| data.counts())
    };
    let (train, test) = (counts(Split::Train), counts(Split::Test));
    let classes: Vec<ClassCount> = data
        .class_names()
        .iter()
        .zip(train.iter().zip(&test))
        .map(|(name, (&train, &test))| ClassCount {
            name: name.clone(),
            train,
            test,
        })
        .collect();
    for class in &classes {
        if class.train + class.test == 0 {
            remarks.push(format!("there is no image of class {}", class.name));
        }
    }
    if !data.is_named() {
        remarks.push(format!(
            "the names of the classes are presumed; {} would say them, one a line",
            super::CLASSES_FILE
        ));
    }
    let [channels, height, width] = data.shape();
    Survey {
        name: data.name().to_owned(),
        source: found.source().name(),
        channels,
        height,
        width,
        named: data.is_named(),
        train: train.iter().sum(),
        test: test.iter().sum(),
        classes,
        remarks,
        parts,
    }
}

impl Survey {
    /// The indices of the first `count` images of every class, in the first part that has any.
    pub fn examples(&self, count: usize) -> Vec<Vec<usize>> {
        let data = &self.parts[0].1;
        let of = |class: usize| (0..data.len()).filter(move |&index| usize::from(data.label(index)) == class);
        (0..self.classes.len())
            .map(|class| of(class).take(count).collect())
            .collect()
    }

    /// The mean of the first part's images of every class, rounded; none of a class without images.
    pub fn means(&self) -> Vec<Option<Vec<u8>>> {
        let data = &self.parts[0].1;
        let mut sums = vec![vec![0u64; data.size()]; self.classes.len()];
        for index in 0..data.len() {
            let sum = &mut sums[usize::from(data.label(index))];
            sum.iter_mut()
                .zip(data.image(index))
                .for_each(|(sum, &level)| *sum += u64::from(level));
        }
        let counts = data.counts();
        let mean = |(sum, count): (Vec<u64>, usize)| {
            let count = count as u64;
            (count > 0).then(|| {
                sum.into_iter()
                    .map(|sum| ((2 * sum + count) / (2 * count)) as u8)
                    .collect()
            })
        };
        sums.into_iter().zip(counts).map(mean).collect()
    }

    /// The mean of all of the first part's images, rounded.
    pub fn mean(&self) -> Vec<u8> {
        let data = &self.parts[0].1;
        let count = data.len() as u64;
        let mut sums = vec![0u64; data.size()];
        for index in 0..data.len() {
            sums.iter_mut()
                .zip(data.image(index))
                .for_each(|(sum, &level)| *sum += u64::from(level));
        }
        sums.into_iter()
            .map(|sum| ((2 * sum + count) / (2 * count)) as u8)
            .collect()
    }
}
