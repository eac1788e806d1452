//! `capsnet study`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use capsnet::device::default_threads;
use capsnet::shard::Shard;
use capsnet::study::{Declaration, EXAMPLE, Event, Images, Machine, Plan, Run, Study};
use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::Split;
use capsnet_report::page::study::{accuracies, label, save, text};
use clap::Args;

use super::again::{command_line, command_line_without};
use crate::args::ComputeArgs;
use crate::images::{data_folder, read};
use crate::output::{line, note, open};
use crate::progress::Progress;
use crate::setting::start_threads;
use crate::stop::{Interrupted, STOP, stop_when_asked};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet study --example > mine.toml
  capsnet study mine.toml
  capsnet study studies/ablations.toml --out runs/ablations --json
  capsnet study mine.toml --shard 2/8

A study is a TOML file that declares variants of models, the seeds that each is trained with and the transforms that
each is tested under; --example prints one that explains itself. Keys are those of a run's config.toml, or flags of
`capsnet train`. The folder gets a run a variant and seed, results.json, results.csv, results.md and report.html. The
same command goes on where it was stopped, `kill -9` included, and trains nothing twice; a run whose settings have
changed since is refused. Last weights are tested, not best ones, so that all variants of a study have seen equally
many images. With --shard 2/8 the second of eight processes makes every eighth run, in the same folder, on as many
machines as share it; when all have ended, the same command without it writes the tables.";

#[derive(Args, Debug)]
pub(crate) struct StudyArgs {
    /// The declaration
    #[arg(value_name = "FILE.toml", required_unless_present = "example")]
    pub file: Option<PathBuf>,
    /// Print a declaration that explains itself, and stop
    #[arg(long)]
    pub example: bool,
    /// Folder of the study [default: runs/NAME-OF-THE-FILE]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder or file with the data set, as for `train` [default: $CAPSNET_DATA, the checkout's data/, the user's
    /// cache]
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// The data set to look for where no folder is given
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub dataset: KnownSet,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Make this share of the runs alone, for other processes to make the rest
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Show the page in the browser when all is done
    #[arg(long)]
    pub open: bool,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: &StudyArgs) -> Result<()> {
    let Some(path) = args.file.as_deref().filter(|_| !args.example) else {
        return line(EXAMPLE.trim_end());
    };
    let declaration = Declaration::read(path)?;
    start_threads(args.compute.threads.unwrap_or(0))?;
    let device = args.compute.open()?;
    let folder = data_folder(args.dataset, &[Split::Train, Split::Test], args.data.as_deref())?;
    let images = [read(&folder, Split::Train, None)?, read(&folder, Split::Test, None)?];
    let machine = Machine {
        data: folder
            .canonicalize()
            .with_context(|| format!("can't resolve {}", folder.display()))?,
        threads: args.compute.threads.unwrap_or_else(default_threads),
        images: Some(Images::of(&images[0])),
    };
    let plan = Plan::new(&declaration, &machine).map_err(|fault| fault.of(path))?;
    let out = args.out.clone().unwrap_or_else(|| default_folder(path));
    let mut study = Study::new(&plan, &out, images.each_ref(), (&args.compute.device, &device));
    if let Some(shard) = args.shard {
        study = study.with_shard(shard);
    }
    study.check()?;
    stop_when_asked("stopping after this step")?;
    let command = command_line();
    let mut shown = Shown::new(&plan, &out, &command);
    shown.whole = args.shard.is_none();
    let outcome = study.execute(&STOP, &mut |event| shown.event(event))?;
    shown.saved?;
    let stopped = shown.stopped;
    let page = out.join("report.html");
    if args.open && page.exists() {
        open(&page);
    }
    if args.json {
        line(serde_json::to_string(&outcome)?)?;
        return unless(stopped);
    }
    line(text(&outcome)?)?;
    if outcome.variants.iter().all(|variant| variant.seeds.is_empty()) {
        return unless(stopped);
    }
    if args.shard.is_some() {
        let whole = command_line_without("--shard");
        line(format_args!(
            "\nwhen all shares are done, write the tables with:\n  {whole}"
        ))?;
        return unless(stopped);
    }
    line(format_args!(
        "\nthe same with every run: {}, {}",
        out.join("results.md").display(),
        out.join("report.html").display()
    ))?;
    unless(stopped)
}

/// Ends well, unless the study was stopped.
fn unless(stopped: bool) -> Result<()> {
    if stopped { Err(Interrupted.into()) } else { Ok(()) }
}

/// What is shown and written while a study goes on.
struct Shown<'a> {
    plan: &'a Plan,
    out: &'a Path,
    command: &'a str,
    /// Whether it is all of the study, whose results are then written.
    whole: bool,
    bar: Option<Progress>,
    /// The first failure to write the results.
    saved: Result<()>,
    /// Whether it was asked to stop.
    stopped: bool,
}

impl<'a> Shown<'a> {
    fn new(plan: &'a Plan, out: &'a Path, command: &'a str) -> Self {
        Self {
            plan,
            out,
            command,
            whole: true,
            bar: None,
            saved: Ok(()),
            stopped: false,
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Training {
                run,
                done,
                total,
                unit,
                batch_size,
                loss,
            } => {
                let before = done.saturating_sub(batch_size);
                let title = self.title(run);
                let bar = self
                    .bar
                    .get_or_insert_with(|| Progress::new(title, unit, total, before));
                bar.set(done, &format!("loss {loss:.4}"));
            }
            Event::Testing { run, done, total, what } => {
                let title = format!("testing {}", self.title(run));
                let bar = self.bar.get_or_insert_with(|| Progress::new(title, "image", total, 0));
                bar.set(done, &label(what));
            }
            Event::Trained(_) => self.clear(),
            Event::Tested { run, tests } => {
                self.clear();
                note(format_args!("{}: {}", self.title(run), accuracies(tests)));
            }
            Event::Done(outcome) => {
                if self.whole && self.saved.is_ok() {
                    self.saved = save(outcome, self.out, self.command).map_err(Into::into);
                    // Nothing is worth training for that can't be written down.
                    if self.saved.is_err() {
                        STOP.store(true, Ordering::Relaxed);
                    }
                }
            }
            Event::Notice { run, notice } => note(format_args!("{}: note: {notice}", self.title(run))),
            Event::Stopped(run) => {
                self.stopped = true;
                note(format_args!(
                    "stopped in run {} of {}; go on with: {}",
                    run.number, run.of, self.command
                ));
            }
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
    }

    fn title(&self, run: Run) -> String {
        let name = &self.plan.variants[run.variant].name;
        format!("run {} of {}: {name}, seed {}", run.number, run.of, run.seed)
    }
}

/// `runs/NAME` after the file.
fn default_folder(path: &Path) -> PathBuf {
    Path::new("runs").join(path.file_stem().unwrap_or("study".as_ref()))
}
