//! `capsnet fetch`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use capsnet::download::Download;
use capsnet::pretrained;
use capsnet_data::fetch::{Step, Timeouts, fetch_files};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::output::{line, note};
use crate::progress::Progress;
use crate::setting::usage;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet fetch fashion-mnist
  capsnet fetch mnist --base-url http://localhost:8000/mnist/
  capsnet fetch weights --base-url http://localhost:8000/weights/";

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    #[arg(value_name = "WHAT", value_parser = what(), 
        help = "A data set, or the weights that aren't inside the program")]
    pub what: Download,
    /// Where to download from [default: $CAPSNET_BASE_URL or the data set's usual mirror; for weights
    /// $CAPSNET_WEIGHTS_URL]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Folder to put the files into [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Reads the name of what can be fetched.
fn what() -> impl TypedValueParser<Value = Download> {
    let names = Download::all().map(|what| match what {
        Download::Weights => PossibleValue::new(what.name()).help("The trained weights that are files, 21 MB"),
        Download::Set(_) => PossibleValue::new(what.name()),
    });
    PossibleValuesParser::new(names).map(|name| name.parse().expect("it is one of the names"))
}

pub(crate) fn run(args: &FetchArgs) -> Result<()> {
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => args
            .what
            .cache_folder()
            .context("no cache folder is known, as neither XDG_CACHE_HOME nor HOME is set; say where to with --out")?,
    };
    let url = args.what.url(args.base_url.as_deref()).map_err(usage)?;
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
    if args.what == Download::Weights && args.out.is_some() {
        note(format_args!(
            "name the folder by {}, and every command finds them there",
            pretrained::WEIGHTS_VARIABLE
        ));
    }
    Ok(())
}
