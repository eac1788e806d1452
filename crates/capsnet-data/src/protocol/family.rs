//! One-dimensional families of transforms: what a sweep varies.

use std::fmt;
use std::str::FromStr;

use crate::transform::{Pipeline, Resample, SpecError};

/// The smoothing of the elastic family in pixels: that of Simard, Steinkraus and Platt (ICDAR 2003), section 2.
const ELASTIC_SIGMA: f64 = 4.0;

/// Transforms of one kind that differ in one number.
///
/// Each value of a family is a [`Pipeline`], written in the grammar of [`transform`](crate::transform). The rotation
/// sweep is that of the papers on equivariance, the whole test set rotated by one fixed angle at a time; noise,
/// occlusion and elastic distortion draw for every image, so that they need a generator of its own for each (see
/// [`Seed::stream`](crate::random::Seed::stream)).
///
/// | name | value | pipeline at value `v` |
/// |---|---|---|
/// | `rotate` | degrees, counter-clockwise | `rotate=v` |
/// | `shift-x` | px to the right | `translate=v:0` |
/// | `shift-y` | px down | `translate=0:v` |
/// | `shift-diagonal` | px to the right and as many down | `translate=v:v` |
/// | `scale` | factor | `scale=v` |
/// | `shear` | degrees, along x | `shear=v` |
/// | `elastic` | px of ALPHA at a smoothing of 4 px | `elastic=v:4` |
/// | `noise` | standard deviation in grey levels | `noise=v` |
/// | `salt` | probability of a pixel | `salt=v` |
/// | `occlude` | side in px of a black square at a random place | `occlude=v` |
/// | `occlude-centre` | side in px of a black square in the middle | `occlude=v:centre` |
///
/// ```
/// use capsnet_data::protocol::Family;
/// use capsnet_data::transform::Resample;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let family: Family = "shift-x".parse()?;
/// assert_eq!((family.unit(), family.identity()), ("px", 0.0));
/// assert_eq!(family.pipeline(-3.0, Resample::Nearest)?.to_string(), "translate=-3:0");
/// assert!(family.pipeline(0.5, Resample::Nearest).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Rotation about the centre, in degrees, counter-clockwise.
    Rotation,
    /// Shift to the right, in pixels.
    ShiftX,
    /// Shift down, in pixels.
    ShiftY,
    /// Shift to the right and down by the same number of pixels.
    ShiftDiagonal,
    /// Magnification of both axes.
    Scale,
    /// Shear along x, in degrees.
    Shear,
    /// Elastic distortion; the multiple of the displacement, in pixels.
    Elastic,
    /// Gaussian noise; the standard deviation in grey levels of 0..255.
    Noise,
    /// Salt-and-pepper noise; the probability of a pixel to be hit.
    Salt,
    /// A black square at a random place; its side in pixels.
    Occlusion,
    /// A black square in the image's middle; its side in pixels.
    CentredOcclusion,
}

impl Family {
    /// Every family, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Rotation,
        Self::ShiftX,
        Self::ShiftY,
        Self::ShiftDiagonal,
        Self::Scale,
        Self::Shear,
        Self::Elastic,
        Self::Noise,
        Self::Salt,
        Self::Occlusion,
        Self::CentredOcclusion,
    ];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rotation => "rotate",
            Self::ShiftX => "shift-x",
            Self::ShiftY => "shift-y",
            Self::ShiftDiagonal => "shift-diagonal",
            Self::Scale => "scale",
            Self::Shear => "shear",
            Self::Elastic => "elastic",
            Self::Noise => "noise",
            Self::Salt => "salt",
            Self::Occlusion => "occlude",
            Self::CentredOcclusion => "occlude-centre",
        }
    }

    /// The name of its value for the axis of a plot.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::ShiftX => "shift to the right",
            Self::ShiftY => "shift down",
            Self::ShiftDiagonal => "shift to the right and down",
            Self::Scale => "scale",
            Self::Shear => "shear along x",
            Self::Elastic => "strength of the elastic distortion",
            Self::Noise => "standard deviation of the noise",
            Self::Salt => "share of salt and pepper",
            Self::Occlusion => "side of the occluding square",
            Self::CentredOcclusion => "side of the central square",
        }
    }

    /// The unit of its value; empty for a factor or a share.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Rotation | Self::Shear => "degrees",
            Self::ShiftX
            | Self::ShiftY
            | Self::ShiftDiagonal
            | Self::Elastic
            | Self::Occlusion
            | Self::CentredOcclusion => "px",
            Self::Noise => "grey levels",
            Self::Scale | Self::Salt => "",
        }
    }

    /// The value that leaves every image as it is.
    pub const fn identity(self) -> f64 {
        match self {
            Self::Scale => 1.0,
            _ => 0.0,
        }
    }

    /// The transform at `value`, with this sampler.
    ///
    /// # Errors
    ///
    /// [`SpecError`] as for the pipeline in writing: a value out of bounds, or a shift by a fraction of a pixel with the
    /// nearest-neighbour sampler.
    pub fn pipeline(self, value: f64, resample: Resample) -> Result<Pipeline, SpecError> {
        let spec = match self {
            Self::Rotation => format!("rotate={value}"),
            Self::ShiftX => format!("translate={value}:0"),
            Self::ShiftY => format!("translate=0:{value}"),
            Self::ShiftDiagonal => format!("translate={value}:{value}"),
            Self::Scale => format!("scale={value}"),
            Self::Shear => format!("shear={value}"),
            Self::Elastic => format!("elastic={value}:{ELASTIC_SIGMA}"),
            Self::Noise => format!("noise={value}"),
            Self::Salt => format!("salt={value}"),
            Self::Occlusion => format!("occlude={value}"),
            Self::CentredOcclusion => format!("occlude={value}:centre"),
        };
        format!("{spec},resample={resample}").parse()
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the families'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no family of transforms `{0}`; known are {known}", known = known())]
pub struct UnknownFamily(pub String);

fn known() -> String {
    Family::ALL.map(Family::name).join(", ")
}

impl FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, UnknownFamily> {
        let family = Self::ALL.into_iter().find(|family| family.name() == name);
        family.ok_or_else(|| UnknownFamily(name.to_owned()))
    }
}
