//! A folder of pictures a class: `train/cat/1.png`, `test/cat/2.png`, or `cat/1.png` without parts.
//!
//! Classes are called what their folders are called, in alphabetical order unless `classes.txt` has another. Pictures
//! are taken as they are: in colour if one of them is, transparent ones over black, turned upright as their EXIF data
//! say. All have to be of one size, unless it is said which they shall have.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, metadata::Orientation};

use super::classes::read_class_names;
use super::files::{entries, folders, has_end, split_of_word};
use super::{Images, Labels, Set, Source, Wanted, name_of, resize};
use crate::dataset::{DatasetError, MAX_CLASSES, Split, planar_in_place};
use crate::gzip::most_unpacked;
use crate::idx::{MAX_ELEMENTS, MAX_SIDE};

pub(super) const SOURCE: Source = Source {
    name: "pictures",
    about: "a folder of pictures a class, such as train/cat/1.png",
    find,
};

/// How files of pictures end.
const ENDS: [&str; 8] = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"];

/// The largest picture that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The most pixels of a picture.
const MAX_PIXELS: u64 = 4 << 20;

/// The pictures of one part.
#[derive(Debug, Default)]
struct Part {
    folder: PathBuf,
    /// A class and its pictures, in order.
    classes: Vec<(String, Vec<PathBuf>)>,
    /// Files that are no pictures.
    others: usize,
}

#[derive(Debug)]
struct PictureSet {
    root: PathBuf,
    train: Option<Part>,
    test: Option<Part>,
}

fn find(path: &Path) -> Result<Option<Box<dyn Set>>, DatasetError> {
    let below = folders(path);
    let word = |folder: &PathBuf| split_of_word(&folder.file_name().unwrap_or_default().to_string_lossy());
    let of = |split: Split| {
        let folder = below.iter().find(|folder| word(folder) == Some(split))?;
        Part::of(folder)
    };
    let (mut train, test) = (of(Split::Train), of(Split::Test));
    if train.is_none() && test.is_none() {
        train = Part::of(path);
    }
    if train.is_none() && test.is_none() {
        return Ok(None);
    }
    let set = PictureSet {
        root: path.to_path_buf(),
        train,
        test,
    };
    if let Some(part) = set.parts().find(|part| part.classes.len() > MAX_CLASSES) {
        return Err(DatasetError::BadClasses {
            source_name: part.folder.display().to_string(),
            fault: format!(
                "{} folders; at most {MAX_CLASSES} classes are possible",
                part.classes.len()
            ),
        });
    }
    Ok(Some(Box::new(set)))
}

impl Part {
    /// The classes in a folder, if there are any pictures in folders.
    fn of(folder: &Path) -> Option<Self> {
        let mut part = Self {
            folder: folder.to_path_buf(),
            ..Self::default()
        };
        for class in folders(folder) {
            let (pictures, others): (Vec<PathBuf>, Vec<PathBuf>) =
                entries(&class).into_iter().partition(|path| has_end(path, &ENDS));
            if !pictures.is_empty() {
                let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
                part.classes.push((name, pictures));
                part.others += others.len();
            }
        }
        (!part.classes.is_empty()).then_some(part)
    }

    fn pictures(&self) -> impl Iterator<Item = &PathBuf> {
        self.classes.iter().flat_map(|(_, pictures)| pictures)
    }
}

impl PictureSet {
    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.train.iter().chain(&self.test)
    }

    fn part(&self, part: Option<Split>) -> Result<&Part, DatasetError> {
        let found = match part {
            Some(Split::Test) => self.test.as_ref(),
            _ => self.train.as_ref(),
        };
        found.ok_or_else(|| {
            let split = part.unwrap_or(Split::Train);
            DatasetError::MissingSplit {
                path: self.root.clone(),
                split,
                remedy: format!("they would be in {split}/CLASS/"),
            }
        })
    }
}

impl Set for PictureSet {
    fn name(&self) -> String {
        name_of(&self.root)
    }

    fn is_whole(&self) -> bool {
        self.test.is_none()
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        let part = if self.is_whole() { None } else { Some(split) };
        self.part(part).err()
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        read_class_names(&self.root)
    }

    fn labels(&self, part: Option<Split>, remarks: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let part = self.part(part)?;
        if part.others > 0 {
            remarks.push(format!(
                "{}: {} files that are no pictures are passed over",
                part.folder.display(),
                part.others
            ));
        }
        let classes = part.classes.iter().enumerate();
        let values = classes.flat_map(|(class, (_, pictures))| std::iter::repeat_n(class as u8, pictures.len()));
        Ok(Labels {
            values: values.collect(),
            words: Some(part.classes.iter().map(|(name, _)| name.clone()).collect()),
        })
    }

    fn images(&self, part: Option<Split>, wanted: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let part = self.part(part)?;
        let shape = match wanted.image {
            Some(image) => {
                resize::check(image, &self.name())?;
                image
            }
            None => common_shape(self.parts())?,
        };
        let size = shape.iter().product::<usize>();
        let stored: u64 = part
            .pictures()
            .map(|path| path.metadata().map_or(0, |metadata| metadata.len()))
            .sum();
        let total = (size * wanted.count) as u64;
        if total > MAX_ELEMENTS || total > most_unpacked(stored) {
            return Err(unreadable(
                &part.folder,
                format!(
                    "{} pictures take {total} bytes, very much for files of {stored}; take fewer, or smaller ones by \
                     --image CxHxW",
                    wanted.count
                ),
            ));
        }
        let mut pixels = Vec::with_capacity(total as usize);
        for path in part.pictures() {
            let (own, levels) = decode(path, shape[0])?;
            if own == shape {
                pixels.extend_from_slice(&levels);
            } else if wanted.image.is_some() {
                pixels.extend_from_slice(&resize::one(&levels, own, shape));
            } else {
                return Err(DatasetError::SizesDiffer {
                    path: path.clone(),
                    found: own,
                    expected: shape,
                });
            }
        }
        Ok(Images { shape, pixels })
    }
}

/// The size that all pictures have, in colour if one of them is; from their headers.
fn common_shape<'a>(parts: impl Iterator<Item = &'a Part>) -> Result<[usize; 3], DatasetError> {
    let mut common: Option<[usize; 3]> = None;
    for path in parts.flat_map(Part::pictures) {
        let (_, [channels, height, width]) = open(path, |_, shape| Ok(shape))?;
        match &mut common {
            None => common = Some([channels, height, width]),
            Some(common) if common[1..] == [height, width] => common[0] = common[0].max(channels),
            Some(common) => {
                return Err(DatasetError::SizesDiffer {
                    path: path.clone(),
                    found: [channels, height, width],
                    expected: *common,
                });
            }
        }
    }
    Ok(common.unwrap_or([1, 1, 1]))
}

/// Channels, height and width of a picture, and its levels plane by plane: as many planes as it has, and three if
/// three are wanted.
fn decode(path: &Path, channels: usize) -> Result<([usize; 3], Vec<u8>), DatasetError> {
    let (picture, [own, height, width]) = open(path, |decoder, _| DynamicImage::from_decoder(decoder))?;
    let shape = [own.max(channels), height, width];
    let mut levels = match shape[0] {
        1 => over_black(&picture.into_luma_alpha8().into_raw(), 1),
        _ => over_black(&picture.into_rgba8().into_raw(), 3),
    };
    planar_in_place(&mut levels, shape);
    Ok((shape, levels))
}

/// Levels times their opacity, which follows them.
fn over_black(pixels: &[u8], channels: usize) -> Vec<u8> {
    let pixels = pixels.chunks_exact(channels + 1);
    let over = |pixel: &[u8]| {
        let alpha = u32::from(pixel[channels]);
        let level = move |&level: &u8| ((u32::from(level) * alpha + 127) / 255) as u8;
        pixel[..channels].iter().map(level).collect::<Vec<u8>>()
    };
    pixels.flat_map(over).collect()
}

/// Opens a picture, hands its decoder and its channels, height and width on, and turns what comes of it upright.
fn open<T: Upright>(
    path: &Path,
    then: impl FnOnce(Box<dyn ImageDecoder>, [usize; 3]) -> Result<T, ImageError>,
) -> Result<(T, [usize; 3]), DatasetError> {
    let unread = |error: io::Error| unreadable(path, format!("can't be read: {error}"));
    let metadata = path.metadata().map_err(unread)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(unreadable(path, format!("is no file of at most {MAX_BYTES} bytes")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(unread)?;
    let damaged = |error: ImageError| unreadable(path, format!("is no picture that can be read: {error}"));
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(unread)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(8 * MAX_PIXELS + (8 << 20));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        let fault = format!("is {width} x {height} pixels; at most {MAX_PIXELS} are possible in a data set");
        return Err(unreadable(path, fault));
    }
    let channels = if decoder.color_type().has_color() { 3 } else { 1 };
    let orientation = decoder.orientation().map_err(damaged)?;
    let (height, width) = match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (width, height)
        }
        _ => (height, width),
    };
    let shape = [channels, height as usize, width as usize];
    let mut made = then(Box::new(decoder), shape).map_err(damaged)?;
    made.turn(orientation);
    Ok((made, shape))
}

/// What can be turned upright.
trait Upright {
    fn turn(&mut self, orientation: Orientation);
}

impl Upright for DynamicImage {
    fn turn(&mut self, orientation: Orientation) {
        self.apply_orientation(orientation);
    }
}

impl Upright for [usize; 3] {
    fn turn(&mut self, _: Orientation) {}
}

fn unreadable(path: &Path, fault: String) -> DatasetError {
    DatasetError::Unreadable {
        path: path.to_path_buf(),
        fault,
    }
}
