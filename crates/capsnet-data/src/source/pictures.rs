//! A folder of pictures a class: `train/cat/1.png`, `test/cat/2.png`, or `cat/1.png` without parts.
//!
//! Classes are called what their folders are called, in alphabetical order unless `classes.txt` has another. Pictures
//! are taken as they are: in colour if one of them is, transparent ones over black, turned upright as their EXIF data
//! say. All have to be of one size, unless it is said which they shall have.

use std::path::{Path, PathBuf};

use super::classes::read_class_names;
use super::files::{entries, folders, split_of_word};
use super::{Images, Labels, Set, Source, Wanted, name_of, resize};
use crate::dataset::{DatasetError, MAX_CLASSES, Split};
use crate::gzip::most_unpacked;
use crate::idx::MAX_ELEMENTS;
use crate::picture::{self, Picture, PictureFault, file_bytes, is_named_as_picture, shape_of};

pub(super) const SOURCE: Source = Source {
    name: "pictures",
    about: "a folder of pictures a class, such as train/cat/1.png",
    find,
};

/// The largest picture that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Folders within a set: parts, and classes in them.
const LEVELS: usize = 2;

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
    /// Folders whose pictures lie in folders of their own.
    deeper: Vec<PathBuf>,
}

#[derive(Debug)]
struct PictureSet {
    root: PathBuf,
    /// Parts beyond the two, such as `valid` beside `test`.
    further: Vec<PathBuf>,
    train: Option<Part>,
    test: Option<Part>,
}

/// Insists that a folder and those in it can be listed and have names, lest a class be missed or taken for another.
pub(super) fn expect_listable(folder: &Path) -> Result<(), DatasetError> {
    expect_listable_to(folder, LEVELS)
}

fn expect_listable_to(folder: &Path, deeper: usize) -> Result<(), DatasetError> {
    let listed = std::fs::read_dir(folder).map_err(|error| unreadable(folder, format!("can't be listed: {error}")))?;
    for entry in listed {
        let entry = entry.map_err(|error| unreadable(folder, format!("can't be listed: {error}")))?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // What the system says of an entry takes no look at each of a thousand pictures.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if deeper == 0 || is_hidden || is_file || !entry.path().is_dir() {
            continue;
        }
        if entry.file_name().to_str().is_none() {
            let fault = "has a name that is no UTF-8, which no class can have; rename it".to_owned();
            return Err(unreadable(&entry.path(), fault));
        }
        expect_listable_to(&entry.path(), deeper - 1)?;
    }
    Ok(())
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
    expect_listable(path)?;
    let read: Vec<&PathBuf> = train.iter().chain(&test).map(|part| &part.folder).collect();
    let divided = read.iter().any(|folder| *folder != path);
    let further = below
        .iter()
        .filter(|folder| divided && word(folder).is_some() && !read.contains(folder));
    let set = PictureSet {
        root: path.to_path_buf(),
        further: further.filter(|folder| Part::of(folder).is_some()).cloned().collect(),
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
                entries(&class).into_iter().partition(|path| is_named_as_picture(path));
            if !pictures.is_empty() {
                let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
                part.classes.push((name, pictures));
                part.others += others.iter().filter(|path| path.is_file()).count();
            }
            let has_pictures = |folder: &PathBuf| entries(folder).iter().any(|path| is_named_as_picture(path));
            let within = folders(&class);
            let further = within.iter().flat_map(|folder| folders(folder));
            if within.iter().any(has_pictures) || further.take(MAX_CLASSES).any(|folder| has_pictures(&folder)) {
                part.deeper.push(class);
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
        let folder = part.folder.display();
        match part.others {
            0 => {}
            1 => remarks.push(format!("{folder}: a file that is no picture is passed over")),
            others => remarks.push(format!("{folder}: {others} files that are no pictures are passed over")),
        }
        for folder in &part.deeper {
            remarks.push(format!(
                "{}: what lies in folders in it is passed over; a class is a folder of pictures",
                folder.display()
            ));
        }
        for folder in &self.further {
            remarks.push(format!("{}: this part of the set is not read", folder.display()));
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
            let (own, levels) = decode(path, shape[0], wanted.image.is_some())?;
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
        let [channels, height, width] = open(path, MAX_BYTES, |bytes| shape_of(bytes, MAX_PIXELS))?;
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
/// three are wanted. One that is made smaller at once may be as large as any.
fn decode(path: &Path, channels: usize, reduces: bool) -> Result<([usize; 3], Vec<u8>), DatasetError> {
    let (most_bytes, most_pixels) = match reduces {
        true => (picture::MAX_FILE_BYTES, picture::MAX_PIXELS),
        false => (MAX_BYTES, MAX_PIXELS),
    };
    let picture = open(path, most_bytes, |bytes| Picture::decode_within(bytes, most_pixels))?;
    let channels = picture.channels().max(channels);
    let shape = [channels, picture.height(), picture.width()];
    Ok((shape, picture.planes(channels)))
}

/// Reads a picture's file of at most so many bytes and makes something of it.
fn open<T>(
    path: &Path,
    most_bytes: u64,
    then: impl FnOnce(&[u8]) -> Result<T, PictureFault>,
) -> Result<T, DatasetError> {
    let made = file_bytes(path, most_bytes).and_then(|bytes| then(&bytes));
    made.map_err(|fault| {
        let reduced = "--image CxHxW makes all pictures of one size as they are read, --image 3x32x32, say";
        let fault = match fault {
            PictureFault::TooLarge { width, height } if most_bytes == MAX_BYTES => {
                format!("is {width} x {height} pixels; at most {MAX_PIXELS} are possible in a data set. {reduced}")
            }
            PictureFault::FileTooLarge { .. } if most_bytes == MAX_BYTES => {
                format!("is no file of at most {MAX_BYTES} bytes. {reduced}")
            }
            other => other.to_string(),
        };
        unreadable(path, fault)
    })
}

fn unreadable(path: &Path, fault: String) -> DatasetError {
    DatasetError::Unreadable {
        path: path.to_path_buf(),
        fault,
    }
}
