//! The trained weights that come with this library.
//!
//! LeNet-5's and the equivariant capsule network's, a third of a megabyte, are inside the library. Those of CapsNet,
//! Efficient-CapsNet, EM-CapsNet and the transforming auto-encoder, 21 megabytes, are files. Each is looked for in this
//! order, and [`find`] says where it is:
//!
//! 1. the folder that the environment variable `CAPSNET_WEIGHTS` names;
//! 2. inside the library;
//! 3. the checkout: `weights/NAME.safetensors` in the current folder or any above it, then in the program's folder or
//!    any above it;
//! 4. the user's cache, which `capsnet fetch weights` fills: `$XDG_CACHE_HOME/capsnet/weights`, by default
//!    `~/.cache/capsnet/weights`.
//!
//! ```
//! use burn::prelude::*;
//! use capsnet::model::Classifier;
//!
//! let model = capsnet::pretrained::lenet5(&Device::flex())?;
//! assert_eq!((model.title().as_str(), model.parameters()), ("LeNet-5", 44_426));
//! # Ok::<(), capsnet::Error>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use capsnet_data::catalog::KnownFile;
use capsnet_data::locate::{Surroundings, user_cache};

use crate::Error;
use crate::loaded::LoadedModel;
use crate::model::Model;

/// The environment variable that names a folder of weights.
pub const WEIGHTS_VARIABLE: &str = "CAPSNET_WEIGHTS";

/// The folder of the checkout, and of the user's cache, that holds weights.
const FOLDER: &str = "weights";

/// Weights that are inside the library, each with what is noted of its training.
macro_rules! inside {
    ($($name:literal),+) => {
        &[$((
            $name,
            include_bytes!(concat!("../pretrained/", $name, ".safetensors")),
            include_str!(concat!("../pretrained/", $name, ".json")),
        )),+]
    };
}

const INSIDE: &[(&str, &[u8], &str)] = inside!["lenet5", "equivariant-capsnet"];

/// The weights that are too large to be inside the library, as `capsnet fetch weights` downloads them.
pub const FILES: [KnownFile; 4] = [
    KnownFile {
        name: "capsnet.safetensors",
        gzipped: false,
        unpacked_len: 16_434_000,
        unpacked_sha256: "21a505059166e2913234d7f2ac6f9dfe34429a3839346483c22992ba3d2cddca",
    },
    KnownFile {
        name: "efficient-capsnet.safetensors",
        gzipped: false,
        unpacked_len: 3_150_720,
        unpacked_sha256: "0421dd45878442ae298dfd7fa92a0dd0a8963d7b535fb73988fa36d343f8e3f8",
    },
    KnownFile {
        name: "em-capsnet.safetensors",
        gzipped: false,
        unpacked_len: 138_496,
        unpacked_sha256: "42061f622749eacc694f902f702d5a606cd14e7fcc9e97ee6b099c6677ef59c4",
    },
    KnownFile {
        name: "transforming-autoencoder.safetensors",
        gzipped: false,
        unpacked_len: 1_465_604,
        unpacked_sha256: "15b9d922187f20e160875e28c650990726c06197b281ac3fd4961a7e94f40971",
    },
];

/// The environment variable that names the address of [`FILES`], at run time or where this library was built.
pub const WEIGHTS_URL_VARIABLE: &str = "CAPSNET_WEIGHTS_URL";

/// Where [`FILES`] are served: the given address, that of the environment variable, or the one that this library was
/// built with, if there is any.
pub fn weights_url(given: Option<&str>) -> Option<String> {
    let variable = || std::env::var(WEIGHTS_URL_VARIABLE).ok().filter(|url| !url.is_empty());
    let built_with = || option_env!("CAPSNET_WEIGHTS_URL").map(str::to_owned);
    given.map(str::to_owned).or_else(variable).or_else(built_with)
}

/// LeNet-5.
///
/// # Errors
///
/// If the file that `CAPSNET_WEIGHTS` leads to can't be read; otherwise they are inside the library.
pub fn lenet5(device: &Device) -> Result<Model, Error> {
    named("lenet5", device)
}

/// CapsNet.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn capsnet(device: &Device) -> Result<Model, Error> {
    named("capsnet", device)
}

/// Efficient-CapsNet, with its decoder.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn efficient_capsnet(device: &Device) -> Result<Model, Error> {
    named("efficient-capsnet", device)
}

/// EM-CapsNet, the small network of matrix capsules.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn em_capsnet(device: &Device) -> Result<Model, Error> {
    named("em-capsnet", device)
}

/// The capsule network that turns with its input.
///
/// # Errors
///
/// If the file that `CAPSNET_WEIGHTS` leads to can't be read; otherwise they are inside the library.
pub fn equivariant_capsnet(device: &Device) -> Result<Model, Error> {
    named("equivariant-capsnet", device)
}

fn named(name: &str, device: &Device) -> Result<Model, Error> {
    Ok(LoadedModel::pretrained(&find(name)?, device)?.model)
}

/// Trained weights of this library, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pretrained {
    /// The model's name, as in commands.
    pub name: String,
    /// Where they are.
    pub place: Place,
}

/// Where weights are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Inside the library.
    Inside,
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside => f.write_str("inside the program"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Pretrained {
    /// The path in a checkout, by which results name them wherever they are.
    pub fn path_in_checkout(&self) -> PathBuf {
        Path::new(FOLDER).join(file_name(&self.name))
    }

    /// The bytes of the weights file.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub(crate) fn bytes(&self) -> Result<Cow<'static, [u8]>, Error> {
        Ok(match (&self.place, inside(&self.name)) {
            (Place::Inside, Some((weights, _))) => weights.into(),
            (Place::Inside, None) => Vec::new().into(),
            (Place::File(path), _) => capsnet_weights::read_bytes(path)?.into(),
        })
    }

    /// What is noted of the training of weights inside the library, as JSON.
    pub(crate) fn note_inside(&self) -> Option<&'static str> {
        inside(&self.name)
            .filter(|_| self.place == Place::Inside)
            .map(|(_, note)| note)
    }
}

/// Finds the weights of the model of this name.
///
/// # Errors
///
/// [`Error::NoWeights`] with all places that were looked at, [`Error::NoWeightsFolder`] if `CAPSNET_WEIGHTS` names
/// something else than a folder.
pub fn find(name: &str) -> Result<Pretrained, Error> {
    find_in(name, &Surroundings::with_variable(WEIGHTS_VARIABLE))
}

/// The folder in the user's cache that weights are fetched to; none if the system names no home.
pub fn cache_folder() -> Option<PathBuf> {
    Some(user_cache()?.join(FOLDER))
}

fn find_in(name: &str, places: &Surroundings) -> Result<Pretrained, Error> {
    let found = |place| {
        Ok(Pretrained {
            name: name.to_owned(),
            place,
        })
    };
    if let Some(folder) = places.variable.as_ref().filter(|folder| !folder.is_dir()) {
        let folder = folder.clone();
        return Err(Error::NoWeightsFolder { folder });
    }
    let file = |folder: &Path| folder.join(file_name(name));
    let mut looked_at = Vec::new();
    let named_folder = places.variable.iter().map(|folder| file(folder));
    for path in named_folder {
        if path.is_file() {
            return found(Place::File(path));
        }
        looked_at.push(path);
    }
    if inside(name).is_some() {
        return found(Place::Inside);
    }
    let checkout = places.checkout().map(|folder| file(&folder.join(FOLDER)));
    let cache = places.cache.iter().map(|cache| file(&cache.join(FOLDER)));
    for path in checkout.chain(cache) {
        if path.is_file() {
            return found(Place::File(path));
        }
        if !looked_at.contains(&path) {
            looked_at.push(path);
        }
    }
    Err(Error::NoWeights {
        name: name.to_owned(),
        looked_at,
    })
}

fn file_name(name: &str) -> String {
    format!("{name}.safetensors")
}

fn inside(name: &str) -> Option<(&'static [u8], &'static str)> {
    let found = INSIDE.iter().find(|(inside, ..)| *inside == name)?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use capsnet_data::digest::sha256;

    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_checkout() {
        for file in FILES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../weights")
                .join(file.name);
            let bytes = fs::read(path).unwrap();
            let digest = sha256(&[&bytes]);
            assert_eq!(
                (bytes.len() as u64, digest.as_str()),
                (file.unpacked_len, file.unpacked_sha256)
            );
        }
    }

    #[test]
    fn weights_are_looked_for_in_order() {
        let home = tempfile::tempdir().unwrap();
        let folder = |name: &str| home.path().join(name);
        let places = Surroundings {
            variable: Some(folder("named")),
            current: Some(folder("checkout/deep")),
            program: None,
            cache: Some(folder("cache")),
        };
        for name in ["named", "checkout/deep", "checkout/weights", "cache/weights"] {
            fs::create_dir_all(folder(name)).unwrap();
        }
        let place = |name: &str| find_in(name, &places).map(|found| found.place);

        let Err(Error::NoWeights { looked_at, .. }) = place("capsnet") else {
            panic!("there are none");
        };
        assert_eq!(looked_at[0], folder("named/capsnet.safetensors"));
        assert_eq!(looked_at.last().unwrap(), &folder("cache/weights/capsnet.safetensors"));
        assert_eq!(place("lenet5").unwrap(), Place::Inside);

        for holder in ["cache/weights", "checkout/weights", "named"] {
            for name in ["capsnet", "lenet5"] {
                fs::write(folder(holder).join(file_name(name)), "").unwrap();
            }
            let file = folder(holder).join("capsnet.safetensors");
            assert_eq!(place("capsnet").unwrap(), Place::File(file));
        }
        // Only a folder that was named goes before what is inside.
        assert_eq!(
            place("lenet5").unwrap(),
            Place::File(folder("named/lenet5.safetensors"))
        );
        fs::remove_file(folder("named/lenet5.safetensors")).unwrap();
        assert_eq!(place("lenet5").unwrap(), Place::Inside);

        fs::remove_dir_all(folder("named")).unwrap();
        assert!(matches!(place("lenet5"), Err(Error::NoWeightsFolder { .. })));
    }
}
