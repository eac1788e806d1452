//! Flags of `capsnet sweep`.

use std::path::PathBuf;

use capsnet_data::protocol::{Family, Sweep, Values};
use capsnet_data::transform::Resample;
use clap::Args;

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

/// What to vary.
#[derive(Args, Debug)]
#[command(next_help_heading = "What to vary [default: --rotate=-180..180:15]")]
pub struct FamilyArgs {
    /// Angles of a rotation in degrees, counter-clockwise
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    rotate: Option<Values>,
    /// Shifts to the right in pixels
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    shift_x: Option<Values>,
    /// Shifts down in pixels
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    shift_y: Option<Values>,
    /// Shifts to the right and down by as many pixels each
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    shift_diagonal: Option<Values>,
    /// Magnifications
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    scale: Option<Values>,
    /// Shears along x in degrees; a positive one leans the top to the right
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    shear: Option<Values>,
    /// Strengths of an elastic distortion in pixels, at a smoothing of 4 pixels
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    elastic: Option<Values>,
    /// Standard deviations of Gaussian noise in grey levels of 0..255
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    noise: Option<Values>,
    /// Probabilities of a pixel to become black or white
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    salt: Option<Values>,
    /// Sides in pixels of a black square at a random place
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    occlude: Option<Values>,
    /// Sides in pixels of a black square in the middle
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    occlude_centre: Option<Values>,
}

impl FamilyArgs {
    /// The families that were asked for, in the order of [`Family::ALL`].
    pub fn sweeps(&self) -> Vec<Sweep> {
        let asked = Family::ALL.into_iter().filter_map(|family| {
            let values = self.values(family)?.clone();
            Some(Sweep { family, values })
        });
        let mut sweeps: Vec<Sweep> = asked.collect();
        if sweeps.is_empty() {
            sweeps.push(DEFAULT.parse().expect("the default is a sweep"));
        }
        sweeps
    }

    fn values(&self, family: Family) -> Option<&Values> {
        match family {
            Family::Rotation => self.rotate.as_ref(),
            Family::ShiftX => self.shift_x.as_ref(),
            Family::ShiftY => self.shift_y.as_ref(),
            Family::ShiftDiagonal => self.shift_diagonal.as_ref(),
            Family::Scale => self.scale.as_ref(),
            Family::Shear => self.shear.as_ref(),
            Family::Elastic => self.elastic.as_ref(),
            Family::Noise => self.noise.as_ref(),
            Family::Salt => self.salt.as_ref(),
            Family::Occlusion => self.occlude.as_ref(),
            Family::CentredOcclusion => self.occlude_centre.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
