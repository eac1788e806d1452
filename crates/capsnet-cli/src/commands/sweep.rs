//! `capsnet sweep`: models along families of transforms and attacks.

use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet::loaded::NamedModel;
use capsnet::model::named_by;
use capsnet::shard::Shard;
use capsnet::sweep::{Event, Plan, PlanError, SweepFolder};
use capsnet_data::protocol::{Family, Sweep, Values};
use capsnet_data::random::Seed;
use capsnet_data::transform::Resample;
use capsnet_measure::sweep::{Circle, Record, SectionLeads};
use capsnet_onnx::AnyModel;
use capsnet_report::page::sweep::SweepPage;
use capsnet_report::sweep::value;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde::Serialize;

use super::again::{command_line, command_line_without};
use crate::args::{DataArgs, ModelsArgs};
use crate::output::{line, note, open};
use crate::progress::Progress;
use crate::setting::usage;

/// Values in a row of the picture, and digits in it.
const PICTURE: [usize; 2] = [9, 4];

pub(crate) const SWEEP_EXAMPLES: &str = "Examples:
  capsnet sweep
  capsnet sweep --models lenet5,capsnet --rotate=-180..180:5
  capsnet sweep --models equivariant-capsnet,lenet5 --rotate=circle
  capsnet sweep --shift-x=-8..8:1 --shift-y=-8..8:1 --limit 1000
  capsnet sweep --models lenet5 --weights sheared=runs/sheared/last.safetensors --rotate=-90..90:5
  capsnet sweep --weights runs/*/best.safetensors --noise=0..100:10 --fgsm=0..0.3:0.05 --limit 500 --json
  capsnet sweep --rotate=-180..180:1 --shard 2/8

Values are numbers and ranges from..to:step between commas, as in -180..180:5,-23; circle is -180..170:10.
Angles that divide the circle evenly are also reported as one figure, the mean over the full turn, with how
often a six was taken for a nine. Every family that is given becomes a section of the report. Results are kept
point by point: the same command goes on where it was stopped.
With --shard 2/8 the second of eight processes, on as many machines as you like, measures every eighth value; the same
command without it puts all together, and measures what is missing.";

/// What is swept where no family is given.
const DEFAULT: &str = "rotate=-180..180:15";

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// How affine transforms read between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    resample: Resample,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Folder for the results and the report
    #[arg(long, value_name = "DIR", default_value = "runs/sweep")]
    out: PathBuf,
    /// Measure this share alone, for other processes to measure the rest
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    families: FamilyArgs,
}

const HEADING: &str = "What to vary [default: --rotate=-180..180:15]";

/// What to vary: a flag for every family of transforms, in their order.
#[derive(Debug)]
struct FamilyArgs(Vec<Sweep>);

impl FamilyArgs {
    /// The families that were asked for, or the usual one.
    fn sweeps(&self) -> Vec<Sweep> {
        match self.0.is_empty() {
            true => vec![DEFAULT.parse().expect("the default is a sweep")],
            false => self.0.clone(),
        }
    }
}

impl Args for FamilyArgs {
    fn augment_args(command: Command) -> Command {
        let flags = Family::ALL.map(|family| {
            Arg::new(family.name())
                .long(family.name())
                .value_name("VALUES")
                .allow_hyphen_values(true)
                .value_parser(value_parser!(Values))
                .help(family.values())
        });
        command.next_help_heading(HEADING).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FamilyArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let asked = Family::ALL.into_iter().filter_map(|family| {
            let values = matches.get_one::<Values>(family.name())?.clone();
            Some(Sweep { family, values })
        });
        Ok(Self(asked.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    record: Record,
    /// Every two models along every family.
    leads: Vec<SectionLeads>,
    /// Every model over the full turn, where angles that divide it evenly were measured.
    circles: Vec<Circle>,
    /// Points that an earlier run of the command had measured.
    points_taken_over: usize,
    files: Vec<String>,
}

pub(crate) fn run(args: &SweepArgs) -> Result<()> {
    let plan = Plan::new(args.families.sweeps(), args.resample)
        .map_err(|PlanError { family, source }| usage(format!("--{family}: {source}")))?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Seed(args.seed))?;
    let models = args.models.read(&device)?;
    models.iter().try_for_each(|model| model.check_outputs(&data))?;
    let named: Vec<NamedModel> = models.iter().map(AnyModel::named).collect();
    let data = named_by(data, named.iter().map(|named| named.model));
    let sweep = capsnet::sweep::Sweep {
        models: &named,
        data: &data,
        plan: &plan,
        seed: Seed(args.seed),
        device: &device,
        device_name: &args.data.compute.device,
    };
    sweep.check()?;
    let mut folder = SweepFolder::new(&args.out).map_err(|error| anyhow::anyhow!("--out: {error}"))?;
    if let Some(shard) = args.shard {
        folder = folder.share(shard);
    }
    folder.take().map_err(|error| anyhow::anyhow!("--out: {error}"))?;
    let swept_before = folder.is_used();
    let record = sweep.begin_in(&folder, &mut |resumed| note(resumed))?;
    let taken_over = record.points();
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let images = sweep.points_of(shard) * data.len();
    let mut progress = Progress::new("sweeping", "image", images, taken_over * data.len());
    let record = sweep.measure_share(shard, record, &mut |event, record| {
        match event {
            Event::Shown {
                images,
                label,
                family,
                value: at,
            } => {
                progress.set(images, &format!("{label} {}", value(family, at)));
            }
            Event::Measured => folder.save(record)?,
        }
        Ok::<(), capsnet::Error>(())
    })?;
    progress.clear();
    folder.save(&record)?;
    if let Some(shard) = args.shard {
        return say_share(shard, &record, &folder.record_path(), args.json);
    }

    let [values, digits] = PICTURE;
    let examples = sweep.example_rows(&record, values, digits)?;
    let page = SweepPage {
        record: &record,
        sample,
        command: &command_line(),
        examples: &examples,
    };
    let saved = page.save(folder.root(), swept_before)?;
    let words = |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|path| path.display().to_string()).collect() };
    if !saved.removed.is_empty() {
        note(format_args!(
            "removed the charts of an earlier sweep: {}",
            words(&saved.removed).join(", ")
        ));
    }
    let mut files = words(&saved.written);
    if args.open {
        open(&files[0]);
    }
    files.insert(1, folder.record_path().display().to_string());
    if args.json {
        let output = Output {
            leads: record.leads(),
            circles: record.sweeps.iter().flat_map(|s| s.circles(&record.classes)).collect(),
            record: record.without_answers(),
            points_taken_over: taken_over,
            files,
        };
        return line(serde_json::to_string(&output)?);
    }
    line(page.text())?;
    line("wrote:")?;
    files.iter().try_for_each(|file| line(format_args!("  {file}")))
}

/// What a share came to, and how all are put together.
fn say_share(shard: Shard, record: &Record, file: &Path, json: bool) -> Result<()> {
    let (points, whole) = (record.points(), command_line_without("--shard"));
    if json {
        let share = serde_json::json!({"shard": shard.to_string(), "points": points, "file": file, "whole": whole});
        return line(share.to_string());
    }
    line(format_args!(
        "share {shard}: {points} points are in {}\nwhen all shares are done, put them together with:\n  {whole}",
        file.display()
    ))
}
