//! `capsnet fetch`.

use anyhow::{Context, Result};
use capsnet_data::fetch::{Step, base_url, fetch};
use capsnet_data::locate::cache_folder;

use crate::args::FetchArgs;
use crate::output::line;
use crate::progress::Progress;

pub fn run(args: &FetchArgs) -> Result<()> {
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => cache_folder(args.dataset).context("this system names no cache folder; say where to with --out")?,
    };
    let url = base_url(args.dataset, args.base_url.as_deref());
    eprintln!("fetching {} from {url} to {}", args.dataset.name(), folder.display());
    let mut bar: Option<Progress> = None;
    fetch(args.dataset, &folder, &url, |progress| match progress.step {
        Step::AlreadyThere => eprintln!("{} is there already", progress.file),
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
