//! `capsnet fetch`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use capsnet_data::catalog::KnownSet;
use capsnet_data::fetch::{Step, base_url, fetch};
use capsnet_data::locate::cache_folder;
use clap::Args;

use crate::output::{line, note};
use crate::progress::Progress;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet fetch fashion-mnist
  capsnet fetch mnist --base-url http://localhost:8000/mnist/";

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    /// mnist or fashion-mnist
    pub dataset: KnownSet,
    /// Where to download from, instead of the data set's usual mirror
    #[arg(long, value_name = "URL", env = "CAPSNET_BASE_URL")]
    pub base_url: Option<String>,
    /// Folder to put the files into [default: the user's cache]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(crate) fn run(args: &FetchArgs) -> Result<()> {
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => cache_folder(args.dataset).context("this system names no cache folder; say where to with --out")?,
    };
    let url = base_url(args.dataset, args.base_url.as_deref());
    note(format_args!(
        "fetching {} from {url} to {}",
        args.dataset.name(),
        folder.display()
    ));
    let mut bar: Option<Progress> = None;
    fetch(args.dataset, &folder, &url, |progress| match progress.step {
        Step::AlreadyThere => note(format_args!("{} is there already", progress.file)),
        Step::Receiving { received, total } => {
            let total = total.unwrap_or(received);
            let bar =
                bar.get_or_insert_with(|| Progress::new(progress.file, "bytes", total as usize, received as usize));
            bar.set(received as usize, "");
        }
        Step::Done => {
            if let Some(bar) = bar.take() {
                bar.clear();
            }
        }
    })?;
    line(format_args!("{} is in {}", args.dataset.name(), folder.display()))?;
    Ok(())
}
