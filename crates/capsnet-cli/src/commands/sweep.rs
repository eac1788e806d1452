//! `capsnet sweep`: models along families of transforms.

use std::path::PathBuf;

use anyhow::Result;
use capsnet::loaded::NamedModel;
use capsnet::model::named_by;
use capsnet::sweep::{Earlier, Event, Plan, PlanError, SweepFolder};
use capsnet_data::dataset::Split;
use capsnet_data::protocol::{Family, Sweep, Values};
use capsnet_data::random::Seed;
use capsnet_data::transform::Resample;
use capsnet_measure::sweep::Record;
use capsnet_report::page::sweep::{Row, SweepPage};
use capsnet_report::sweep::value;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde::Serialize;

use super::again::command_line;
use crate::args::{DataArgs, ModelsArgs};
use crate::contestant::Contestant;
use crate::output::{line, note};
use crate::progress::Progress;
use crate::setting::usage;

/// Values in a row of the picture, and digits in it.
const PICTURE: [usize; 2] = [9, 4];

pub(crate) const SWEEP_EXAMPLES: &str = "Examples:
  capsnet sweep
  capsnet sweep --models lenet5,capsnet --rotate=-180..180:5
  capsnet sweep --shift-x=-8..8:1 --shift-y=-8..8:1 --limit 1000
  capsnet sweep --models lenet5 --weights sheared=runs/sheared/last.safetensors --rotate=-90..90:5
  capsnet sweep --weights runs/*/best.safetensors --noise=0..100:10 --json

Values are numbers and ranges from..to:step between commas, as in -180..180:5,-23. Every family that is given
becomes a section of the report. Results are kept point by point: the same command goes on where it was stopped.";

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
    leads: Vec<Leads>,
    /// Points that an earlier run of the command had measured.
    points_taken_over: usize,
    files: Vec<String>,
}

/// Every two models along a family.
#[derive(Serialize)]
struct Leads {
    flag: String,
    pairs: Vec<capsnet_measure::Lead>,
}

pub(crate) fn run(args: &SweepArgs) -> Result<()> {
    let plan = Plan::new(args.families.sweeps(), args.resample)
        .map_err(|PlanError { family, source }| usage(format!("--{family}: {source}")))?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Split::Test, Seed(args.seed))?;
    let models = args.models.contestants(&device)?;
    let named: Vec<NamedModel> = models.iter().map(Contestant::named).collect();
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
    folder.take().map_err(|error| anyhow::anyhow!("--out: {error}"))?;
    let swept_before = folder.is_used();
    let record = begin(&sweep, &folder)?;
    let taken_over = record.points();
    let mut progress = Progress::new("sweeping", "images", sweep.images(), taken_over * data.len());
    let record = sweep.measure(record, &mut |event, record| {
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

    let mut examples = Vec::new();
    let [values, digits] = PICTURE;
    for (planned, section) in plan.sections().iter().zip(&record.sweeps) {
        let values = section.sweep.spread(values);
        let rows = sweep.examples(planned, &values, digits)?.into_iter().zip(values);
        examples.push(rows.map(|(examples, value)| Row { value, examples }).collect());
    }
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
    files.insert(1, folder.record_path().display().to_string());
    if args.json {
        let leads = |section: &capsnet_measure::sweep::Section| Leads {
            flag: section.flag.clone(),
            pairs: section.sweep.leads(),
        };
        let output = Output {
            leads: record.sweeps.iter().map(leads).collect(),
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

/// The record with the points that an earlier run measured under the same settings, if there was one.
fn begin(sweep: &capsnet::sweep::Sweep, folder: &SweepFolder) -> Result<Record> {
    let path = folder.record_path();
    let earlier = match folder.earlier(&sweep.settings())? {
        Earlier::Nothing => return Ok(sweep.begin()),
        Earlier::Other(reason) => {
            let (path, kept) = (path.display(), folder.keep()?);
            note(format_args!(
                "{path} can't be gone on with: {reason}; it is kept as {}, and everything is measured anew",
                kept.display()
            ));
            return Ok(sweep.begin());
        }
        Earlier::Same(earlier) => earlier,
    };
    let record = sweep.begin_with(&earlier);
    let (taken, wanted) = (record.points(), sweep.points());
    if taken > 0 {
        note(format_args!(
            "{taken} of {wanted} points were measured before and are taken from {}",
            path.display()
        ));
    }
    if taken < earlier.points() {
        note(format_args!(
            "the other points of that file are kept in {}",
            folder.keep()?.display()
        ));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, Family, Sweep, SweepArgs};
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parsed(words: &[&str]) -> SweepArgs {
        let cli = Cli::try_parse_from([&["capsnet", "sweep"], words].concat()).unwrap();
        match cli.command {
            Some(Command::Sweep(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_family_has_a_flag_of_its_name() {
        for family in Family::ALL {
            let args = parsed(&[&format!("--{family}"), "1,2"]);
            let sweeps = args.families.sweeps();
            assert_eq!(sweeps.len(), 1);
            assert_eq!(sweeps[0].to_string(), format!("{family}=1,2"));
        }
        let both = parsed(&["--shear", "-5", "--rotate", "-90..90:45"]).families.sweeps();
        let both: Vec<String> = both.iter().map(Sweep::to_string).collect();
        assert_eq!(both, ["rotate=-90..90:45", "shear=-5"]);
        let default = parsed(&[]).families.sweeps();
        assert_eq!(default[0].to_string(), DEFAULT);
    }
}
