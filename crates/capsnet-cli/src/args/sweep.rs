//! Flags of `capsnet sweep`.

use std::path::PathBuf;

use capsnet_data::protocol::{Family, Sweep, Values};
use capsnet_data::transform::Resample;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::models::ModelsArgs;
use super::shared::DataArgs;

pub const SWEEP_EXAMPLES: &str = "Examples:
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
pub struct SweepArgs {
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// How affine transforms read between the pixels
    #[arg(long, default_value = "nearest", value_name = "nearest|bilinear")]
    pub resample: Resample,
    /// Seed of random transforms
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Folder for the results and the report
    #[arg(long, value_name = "DIR", default_value = "runs/sweep")]
    pub out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub families: FamilyArgs,
}

const HEADING: &str = "What to vary [default: --rotate=-180..180:15]";

/// What to vary: a flag for every family of transforms, in their order.
#[derive(Debug)]
pub struct FamilyArgs(Vec<Sweep>);

impl FamilyArgs {
    /// The families that were asked for, or the usual one.
    pub fn sweeps(&self) -> Vec<Sweep> {
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

#[cfg(test)]
mod tests {
    use super::{DEFAULT, Family, Sweep, SweepArgs};
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parsed(line: &str) -> SweepArgs {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Some(Command::Sweep(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_family_has_a_flag_of_its_name() {
        for family in Family::ALL {
            let args = parsed(&format!("capsnet sweep --{family} 1,2"));
            let sweeps = args.families.sweeps();
            assert_eq!(sweeps.len(), 1);
            assert_eq!(sweeps[0].to_string(), format!("{family}=1,2"));
        }
        let both = parsed("capsnet sweep --shear -5 --rotate -90..90:45").families.sweeps();
        let both: Vec<String> = both.iter().map(Sweep::to_string).collect();
        assert_eq!(both, ["rotate=-90..90:45", "shear=-5"]);
        let default = parsed("capsnet sweep").families.sweeps();
        assert_eq!(default[0].to_string(), DEFAULT);
    }
}
