//! `capsnet fetch`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use capsnet::pretrained::{self, WEIGHTS_URL_VARIABLE};
use capsnet_data::catalog::{KnownFile, KnownSet};
use capsnet_data::fetch::{Step, Timeouts, base_url, fetch_files};
use capsnet_data::locate::cache_folder;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::output::{line, note};
use crate::progress::Progress;
use crate::setting::usage;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet fetch fashion-mnist
  capsnet fetch mnist --base-url http://localhost:8000/mnist/
  capsnet fetch weights --base-url http://localhost:8000/weights/";

/// What fetches weights instead of a data set.
const WEIGHTS: &str = "weights";

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    #[arg(value_name = "WHAT", value_parser = what(), 
        help = "A data set, or the weights that aren't inside the program")]
    pub what: What,
    /// Where to download from [default: $CAPSNET_BASE_URL or the data set's usual mirror; for weights
    /// $CAPSNET_WEIGHTS_URL]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Folder to put the files into [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A data set.
    Set(KnownSet),
    /// CapsNet's weights.
    Weights,
}

/// Reads the name of a data set, or `weights`.
fn what() -> impl TypedValueParser<Value = What> {
    let weights = PossibleValue::new(WEIGHTS).help("CapsNet's trained weights, 16 MB");
    let sets = KnownSet::ALL.iter().map(|set| PossibleValue::new(set.name()));
    PossibleValuesParser::new(sets.chain([weights])).map(|name| name.parse().map_or(What::Weights, What::Set))
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Set(set) => set.name(),
            Self::Weights => WEIGHTS,
        }
    }

    fn files(self) -> Vec<KnownFile> {
        match self {
            Self::Set(set) => set.files().to_vec(),
            Self::Weights => pretrained::FILES.to_vec(),
        }
    }

    fn cache(self) -> Option<PathBuf> {
        match self {
            Self::Set(set) => cache_folder(set),
            Self::Weights => pretrained::cache_folder(),
        }
    }

    /// Where the files are served.
    fn url(self, given: Option<&str>) -> Result<String> {
        match self {
            Self::Set(set) => Ok(base_url(set, given)),
            Self::Weights => {
                let missing = || {
                    usage(format!(
                        "this build of the program knows no address of the weights; name one by --base-url or \
                         {WEIGHTS_URL_VARIABLE}: a folder on a server that holds `{}` of the repository's `weights`",
                        pretrained::FILES[0].name
                    ))
                };
                pretrained::weights_url(given).ok_or_else(|| missing().into())
            }
        }
    }
}

pub(crate) fn run(args: &FetchArgs) -> Result<()> {
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => args
            .what
            .cache()
            .context("no cache folder is known, as neither XDG_CACHE_HOME nor HOME is set; say where to with --out")?,
    };
    let url = args.what.url(args.base_url.as_deref())?;
    let name = args.what.name();
    note(format_args!("fetching {name} from {url} to {}", folder.display()));
    let mut bar: Option<Progress> = None;
    let timeouts = Timeouts::default();
    fetch_files(&args.what.files(), &folder, &url, timeouts, |progress| {
        match progress.step {
            Step::AlreadyThere => note(format_args!("{} is there already", progress.file)),
            Step::Receiving { received, total } => {
                let total = total.unwrap_or(received);
                let bar =
                    bar.get_or_insert_with(|| Progress::new(progress.file, "byte", total as usize, received as usize));
                bar.set(received as usize, "");
            }
            Step::Done => {
                if let Some(bar) = bar.take() {
                    bar.clear();
                }
            }
        }
    })?;
    line(format_args!("{name} is in {}", folder.display()))?;
    if args.what == What::Weights && args.out.is_some() {
        note(format_args!(
            "name the folder by {}, and every command finds them there",
            pretrained::WEIGHTS_VARIABLE
        ));
    }
    Ok(())
}
