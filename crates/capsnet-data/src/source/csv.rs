//! CSV: an image a line, its label and its pixels, 0 to 255, row by row.
//!
//! ```text
//! label,pixel0,pixel1,..      Kaggle's header; the column of labels may be any that is called label or class
//! 5,0,0,..                    without a header the label comes first
//! ```
//!
//! So many pixels are a square, or three times a square: images in colour, whose pixels are red, green and blue side by
//! side (as NumPy flattens height x width x 3). Labels are whole numbers or words. Commas, semicolons and tabs part the
//! columns; a file may be gzipped. A `test.csv` without labels, as Kaggle's, is passed over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::files::Files;
use super::{Images, Labels, Set, Source, Wanted};
use crate::dataset::{DatasetError, MAX_CLASSES, Split, planar_in_place};
use crate::gzip::{Plain, most_labels, most_unpacked};
use crate::idx::MAX_SIDE;

pub(super) const SOURCE: Source = Source {
    name: "csv",
    about: "CSV files, an image a line, such as train.csv",
    find: |path| {
        let files = Files::find(path, &[".csv", ".csv.gz", ".tsv"], |path| {
            Table::open(path, None).is_ok_and(|table| table.label.is_some())
        })?;
        Ok(files.map(|files| Box::new(CsvSet(files)) as Box<dyn Set>))
    },
};

/// Bytes in which the first line ends, or at least shows what stands between its fields.
const START: u64 = 1 << 16;

/// The longest line that is read: an image of a million pixels.
const MAX_LINE: usize = 4 << 20;

/// What the column of labels is called.
const LABEL: [&str; 6] = ["label", "labels", "class", "target", "digit", "letter"];

#[derive(Debug)]
struct CsvSet(Files);

impl Set for CsvSet {
    fn name(&self) -> String {
        self.0.name()
    }

    fn is_whole(&self) -> bool {
        self.0.is_whole()
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        self.0.missing(split)
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        self.0.class_names()
    }

    fn labels(&self, part: Option<Split>, _: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let path = self.0.file(part);
        let mut table = Table::open(path, None)?;
        let Some(label) = table.label else {
            return Err(unreadable(
                path,
                "has no column of labels: one that is called label is needed".to_owned(),
            ));
        };
        let stored = table.stored;
        let mut distinct: BTreeMap<Vec<u8>, u16> = BTreeMap::new();
        let mut rows: Vec<u16> = Vec::new();
        while let Some(record) = table.next()? {
            let word = record.get(label).unwrap_or_default().trim_ascii();
            let known = match distinct.get(word) {
                Some(&known) => known,
                None if distinct.len() >= MAX_CLASSES => {
                    let fault = format!("has more than {MAX_CLASSES} different labels; is this the label's column?");
                    return Err(unreadable(path, fault));
                }
                None => {
                    let next = distinct.len() as u16;
                    distinct.insert(word.to_vec(), next);
                    next
                }
            };
            rows.push(known);
            if rows.len() as u64 > most_labels(stored) {
                let lines = rows.len();
                let fault = format!("has more than {lines} lines, very many for its length; unpack it first");
                return Err(unreadable(path, fault));
            }
        }
        if rows.is_empty() {
            return Err(unreadable(path, "has no line with an image".to_owned()));
        }
        let numbers: Option<Vec<(u16, u8)>> = distinct.iter().map(|(word, &row)| Some((row, whole(word)?))).collect();
        let (meanings, words) = match numbers {
            Some(numbers) => (numbers, None),
            None => {
                let places = distinct.values().zip(0..).map(|(&row, place)| (row, place)).collect();
                let words: Result<Vec<String>, DatasetError> = distinct
                    .keys()
                    .map(|word| match std::str::from_utf8(word) {
                        Ok(word) => Ok(word.to_owned()),
                        Err(_) => {
                            let shown = String::from_utf8_lossy(word);
                            let fault = format!("has the label `{shown}`, which is no UTF-8; save the file as UTF-8");
                            Err(unreadable(path, fault))
                        }
                    })
                    .collect();
                (places, Some(words?))
            }
        };
        let mut values = [0; MAX_CLASSES];
        meanings
            .into_iter()
            .for_each(|(row, value): (u16, u8)| values[usize::from(row)] = value);
        Ok(Labels {
            values: rows.into_iter().map(|row| values[usize::from(row)]).collect(),
            words,
        })
    }

    fn images(&self, part: Option<Split>, wanted: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let path = self.0.file(part);
        let mut table = Table::open(path, wanted.image)?;
        let label = table.label;
        let shape = table.shape.ok_or_else(|| {
            let columns = table.columns;
            if columns == 1 {
                let fault = "has one column: its fields have to be separated by commas, semicolons or tabs";
                return unreadable(path, fault.to_owned());
            }
            let fault = format!(
                "has {columns} columns; a label and the pixels of an image are needed, as many as in a square (785 for \
                 28 x 28) or three times as many; or say with --image CxHxW how large the images are"
            );
            unreadable(path, fault)
        })?;
        let size = shape.iter().product::<usize>();
        let total = size.saturating_mul(wanted.count);
        if total as u64 > most_unpacked(table.stored) {
            return Err(unreadable(
                path,
                format!("holds {total} pixels, very much for its length; unpack it first"),
            ));
        }
        let mut pixels = Vec::with_capacity(total);
        while let Some(record) = table.next()? {
            let line = record.position().map_or(0, csv::Position::line);
            let fields = record.iter().enumerate().filter(|&(column, _)| Some(column) != label);
            for (column, field) in fields {
                let level = whole(field.trim_ascii()).ok_or_else(|| {
                    let field = String::from_utf8_lossy(field).into_owned();
                    let column = column + 1;
                    let fault = format!("line {line}, column {column}: `{field}` is no level of a pixel, 0 to 255");
                    unreadable(path, fault)
                })?;
                pixels.push(level);
            }
        }
        planar_in_place(&mut pixels, shape);
        Ok(Images { shape, pixels })
    }
}

/// A file of which the first bytes were looked at.
type Begun = Chain<Cursor<Vec<u8>>, Lines<Plain<File>>>;

/// A file whose columns are known.
struct Table<'a> {
    path: &'a Path,
    stored: u64,
    reader: Reader<Begun>,
    record: ByteRecord,
    /// Whether the record at hand is still to be given out.
    pending: bool,
    columns: usize,
    label: Option<usize>,
    /// What the images are, where the number of columns says it.
    shape: Option<[usize; 3]>,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, image: Option<[usize; 3]>) -> Result<Self, DatasetError> {
        let unread = |error: io::Error| unreadable(path, format!("can't be read: {error}"));
        let metadata = std::fs::metadata(path).map_err(unread)?;
        if !metadata.is_file() {
            return Err(unreadable(path, "is not a regular file".to_owned()));
        }
        let plain = Plain::new(File::open(path).map_err(unread)?).map_err(unread)?;
        let mut lines = Lines::new(plain);
        let mut start = Vec::new();
        // A single read may give as little as it likes.
        (&mut lines).take(START).read_to_end(&mut start).map_err(unread)?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(unreadable(path, "is UTF-16; save it as UTF-8".to_owned()));
        }
        let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let often = |delimiter: &u8| first.iter().filter(|&byte| byte == delimiter).count();
        let delimiter = *[b',', b';', b'\t']
            .iter()
            .rev()
            .max_by_key(|&delimiter| often(delimiter))
            .unwrap_or(&b',');
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Cursor::new(start).chain(lines));
        let mut table = Self {
            path,
            stored: metadata.len(),
            reader,
            record: ByteRecord::new(),
            pending: false,
            columns: 0,
            label: None,
            shape: None,
        };
        if !table.read()? {
            return Err(unreadable(path, "has no line with an image".to_owned()));
        }
        table.understand(image);
        Ok(table)
    }

    /// What the first line says of the columns.
    fn understand(&mut self, image: Option<[usize; 3]>) {
        let first: Vec<String> = self
            .record
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().to_lowercase())
            .collect();
        self.columns = first.len();
        let shape = |pixels: usize| shape_of(pixels, image);
        let is_number = |name: &String| name.parse::<f64>().is_ok();
        // pandas numbers columns that have no name.
        let counted = first.len() > 2
            && first[1..]
                .iter()
                .enumerate()
                .all(|(place, name)| *name == place.to_string());
        let names = first.iter().filter(|name| !is_number(name)).count();
        let has_header = names > 1 || (counted && names == 1);
        let called = first
            .iter()
            .position(|name| LABEL.contains(&name.trim_start_matches('\u{feff}')));
        let label = match (has_header, called) {
            (true, Some(column)) => Some(column),
            _ if shape(self.columns).is_some() => None,
            _ => Some(0),
        };
        let pixels = self.columns - usize::from(label.is_some());
        let shape = shape(pixels);
        (self.label, self.shape, self.pending) = (label, shape, !has_header);
    }

    /// The next line with an image.
    fn next(&mut self) -> Result<Option<&ByteRecord>, DatasetError> {
        if !std::mem::take(&mut self.pending) && !self.read()? {
            return Ok(None);
        }
        if self.record.len() != self.columns {
            let line = self.record.position().map_or(0, csv::Position::line);
            let (columns, before) = (self.record.len(), self.columns);
            return Err(unreadable(
                self.path,
                format!("line {line} has {columns} columns, not {before} as the first"),
            ));
        }
        Ok(Some(&self.record))
    }

    fn read(&mut self) -> Result<bool, DatasetError> {
        let read = self.reader.read_byte_record(&mut self.record);
        read.map_err(|error| unreadable(self.path, format!("can't be read: {error}")))
    }
}

/// The images of so many pixels.
fn shape_of(pixels: usize, image: Option<[usize; 3]>) -> Option<[usize; 3]> {
    if let Some(image) = image.filter(|image| image.iter().product::<usize>() == pixels) {
        return Some(image);
    }
    let square = |channels: usize| {
        let side = (pixels / channels).isqrt();
        let fits = (2..=MAX_SIDE as usize).contains(&side) && channels * side * side == pixels;
        fits.then_some([channels, side, side])
    };
    square(1).or_else(|| square(3))
}

/// A whole number from 0 to 255, however it is written.
fn whole(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number == f64::from(number as u8)).then_some(number as u8)
    })
}

fn unreadable(path: &Path, fault: String) -> DatasetError {
    DatasetError::Unreadable {
        path: path.to_path_buf(),
        fault,
    }
}

/// A source whose lines are not endless.
struct Lines<R> {
    source: R,
    len: usize,
}

impl<R> Lines<R> {
    fn new(source: R) -> Self {
        Self { source, len: 0 }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        for part in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            self.len += part.len();
            if self.len > MAX_LINE {
                return Err(io::Error::other(format!("a line has more than {MAX_LINE} bytes")));
            }
            if part.ends_with(b"\n") {
                self.len = 0;
            }
        }
        Ok(count)
    }
}
