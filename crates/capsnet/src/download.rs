//! What can be downloaded: data sets, and the weights that aren't inside the library.
//!
//! `capsnet_data::fetch` (feature `fetch`) downloads them.
//!
//! ```
//! use capsnet::download::Download;
//!
//! let what: Download = "fashion-mnist".parse()?;
//! assert_eq!(what.url(Some("http://host/mirror"))?, "http://host/mirror");
//! assert_eq!(what.files().len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::PathBuf;
use std::str::FromStr;

use capsnet_data::catalog::{KnownFile, KnownSet};
use capsnet_data::locate::cache_folder;

use crate::pretrained::{self, WEIGHTS_URL_VARIABLE};

/// What [`Download::Weights`] is called.
const WEIGHTS: &str = "weights";

/// Files that a server may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Download {
    /// A data set.
    Set(KnownSet),
    /// The trained weights that aren't inside the library.
    Weights,
}

/// A name of nothing that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing called `{0}` can be downloaded")]
pub struct UnknownDownload(pub String);

/// No address of the weights is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this build of the program knows no address of the weights; name one by --base-url or {WEIGHTS_URL_VARIABLE}: a \
     folder on a server that holds the repository's `weights`: {}",
    pretrained::FILES.map(|file| file.name).join(", ")
)]
pub struct UnknownAddress;

impl Download {
    /// Everything.
    pub fn all() -> impl Iterator<Item = Self> {
        KnownSet::ALL.into_iter().map(Self::Set).chain([Self::Weights])
    }

    /// Its name: that of the data set, or `weights`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Set(set) => set.name(),
            Self::Weights => WEIGHTS,
        }
    }

    /// Its files, with their digests.
    #[must_use]
    pub fn files(self) -> Vec<KnownFile> {
        match self {
            Self::Set(set) => set.files().to_vec(),
            Self::Weights => pretrained::FILES.to_vec(),
        }
    }

    /// The folder of the user's cache where it is looked for; none where the user has no home.
    #[must_use]
    pub fn cache_folder(self) -> Option<PathBuf> {
        match self {
            Self::Set(set) => cache_folder(set),
            Self::Weights => pretrained::cache_folder(),
        }
    }

    /// Where it is served: at the given address, or at the one that the environment or the library knows.
    ///
    /// # Errors
    ///
    /// If no address is known, which can be so of the weights alone.
    pub fn url(self, given: Option<&str>) -> Result<String, UnknownAddress> {
        match self {
            Self::Set(set) => Ok(set.base_url(given)),
            Self::Weights => pretrained::weights_url(given).ok_or(UnknownAddress),
        }
    }
}

impl FromStr for Download {
    type Err = UnknownDownload;

    fn from_str(name: &str) -> Result<Self, UnknownDownload> {
        let known = Self::all().find(|download| download.name() == name);
        known.ok_or_else(|| UnknownDownload(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for download in Download::all() {
            assert_eq!(download.name().parse(), Ok(download));
            assert!(!download.files().is_empty(), "{}", download.name());
        }
        assert_eq!("mnsit".parse::<Download>(), Err(UnknownDownload("mnsit".to_owned())));
        assert_eq!(
            Download::Weights.url(Some("http://host/")),
            Ok("http://host/".to_owned())
        );
    }
}
