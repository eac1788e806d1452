//! One-dimensional families of transforms and attacks: what a sweep varies.
//!
//! A new family is a new row of the table.

use self::Make::{Attacks, Transforms};
use super::attack::{Attack, Objective};
use super::change::Change;
use crate::table::table;
use crate::transform::{Pipeline, Resample, SpecError};

/// The smoothing of the elastic family in pixels: that of Simard, Steinkraus and Platt (ICDAR 2003), section 2.
const ELASTIC_SIGMA: f64 = 4.0;

/// What is known of a family.
struct Row {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    identity: f64,
    /// What its flag takes.
    values: &'static str,
    about: &'static str,
    make: Make,
}

/// What a value of a family is.
enum Make {
    /// A transform, appended to a pipeline.
    Transforms(fn(Pipeline, f64) -> Result<Pipeline, SpecError>),
    /// An attack on the network that is tested.
    Attacks(fn(f64) -> Result<Attack, SpecError>),
}

table! {
    /// Transforms or attacks of one kind that differ in one number.
    ///
    /// Each value of a family is a [`Change`], a transform or an attack. The rotation sweep is that of the papers on
    /// equivariance, the whole test set rotated by one fixed angle at a time; noise, occlusion and elastic distortion
    /// draw for every image, so that they need a generator of its own for each (see
    /// [`Seed::stream`](crate::random::Seed::stream)).
    ///
    /// ```
    /// use capsnet_data::protocol::Family;
    /// use capsnet_data::transform::Resample;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let family: Family = "shift-x".parse()?;
    /// assert_eq!((family.unit(), family.identity()), ("px", 0.0));
    /// assert_eq!(family.change(-3.0, Resample::Nearest)?.to_string(), "translate=-3:0");
    /// assert!(family.change(0.5, Resample::Nearest).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub enum Family: Row, "family of transforms", UnknownFamily {
        /// Rotation about the centre, in degrees, counter-clockwise.
        Rotation {
            name: "rotate",
            title: "rotation",
            unit: "degrees",
            identity: 0.0,
            values: "Angles of a rotation in degrees, counter-clockwise",
            about: "every image is turned about its centre by the same angle; a positive angle is counter-clockwise",
            make: Transforms(|line, degrees| line.then_rotate(degrees)),
        }
        /// Shift to the right, in pixels.
        ShiftX {
            name: "shift-x",
            title: "shift to the right",
            unit: "px",
            identity: 0.0,
            values: "Shifts to the right in pixels",
            about: "every image is shifted by the same number of pixels; a positive shift goes to the right",
            make: Transforms(|line, pixels| line.then_shift(pixels, 0.0)),
        }
        /// Shift down, in pixels.
        ShiftY {
            name: "shift-y",
            title: "shift down",
            unit: "px",
            identity: 0.0,
            values: "Shifts down in pixels",
            about: "every image is shifted by the same number of pixels; a positive shift goes down",
            make: Transforms(|line, pixels| line.then_shift(0.0, pixels)),
        }
        /// Shift to the right and down by the same number of pixels.
        ShiftDiagonal {
            name: "shift-diagonal",
            title: "shift to the right and down",
            unit: "px",
            identity: 0.0,
            values: "Shifts to the right and down by as many pixels each",
            about: "every image is shifted by the same number of pixels on both axes; a positive shift goes to the \
                    right and down",
            make: Transforms(|line, pixels| line.then_shift(pixels, pixels)),
        }
        /// Magnification of both axes.
        Scale {
            name: "scale",
            title: "scale",
            unit: "",
            identity: 1.0,
            values: "Magnifications",
            about: "every image is magnified about its centre by the same factor; the digit is larger above 1",
            make: Transforms(|line, factor| line.then_scale(factor)),
        }
        /// Shear along x, in degrees.
        Shear {
            name: "shear",
            title: "shear along x",
            unit: "degrees",
            identity: 0.0,
            values: "Shears along x in degrees; a positive one leans the top to the right",
            about: "every image is sheared along x about its centre by the same angle; a positive angle leans the top \
                    to the right",
            make: Transforms(|line, degrees| line.then_shear(degrees, 0.0)),
        }
        /// Elastic distortion; the multiple of the displacement, in pixels.
        Elastic {
            name: "elastic",
            title: "strength of the elastic distortion",
            unit: "px",
            identity: 0.0,
            values: "Strengths of an elastic distortion in pixels, at a smoothing of 4 pixels",
            about: "every image is distorted by random displacements of its own, smoothed by a Gaussian of 4 pixels \
                    and multiplied by this number of pixels (Simard, Steinkraus and Platt 2003)",
            make: Transforms(|line, alpha| line.then_elastic(alpha, ELASTIC_SIGMA)),
        }
        /// Gaussian noise; the standard deviation in grey levels of 0..255.
        Noise {
            name: "noise",
            title: "standard deviation of the noise",
            unit: "grey levels",
            identity: 0.0,
            values: "Standard deviations of Gaussian noise in grey levels of 0..255",
            about: "every image has Gaussian noise of its own added, of this standard deviation in grey levels \
                    of 0 to 255",
            make: Transforms(|line, std| line.then_noise(std)),
        }
        /// Salt-and-pepper noise; the probability of a pixel to be hit.
        Salt {
            name: "salt",
            title: "share of salt and pepper",
            unit: "",
            identity: 0.0,
            values: "Probabilities of a pixel to become black or white",
            about: "each pixel becomes black or white with this probability, in every image anew",
            make: Transforms(|line, probability| line.then_salt(probability)),
        }
        /// A black square at a random place; its side in pixels.
        Occlusion {
            name: "occlude",
            title: "side of the occluding square",
            unit: "px",
            identity: 0.0,
            values: "Sides in pixels of a black square at a random place",
            about: "a black square of this side covers a random place of every image",
            make: Transforms(|line, side| line.then_occlude(side)),
        }
        /// A black square in the middle; its side in pixels.
        CentredOcclusion {
            name: "occlude-centre",
            title: "side of the central square",
            unit: "px",
            identity: 0.0,
            values: "Sides in pixels of a black square in the middle",
            about: "a black square of this side covers the middle of every image",
            make: Transforms(|line, side| line.then_occlude_centre(side)),
        }
        /// The fast gradient sign method; its size in units of the pixels' range.
        Fgsm {
            name: "fgsm",
            title: "size of the attack by FGSM",
            unit: "",
            identity: 0.0,
            values: "Sizes of an attack by one step along the sign of the gradient (FGSM), pixels being 0..1",
            about: "every pixel moves by this much of the range 0..1, up or down as raises the model's own loss, and \
                    stays in the range (fast gradient sign method, Goodfellow, Shlens and Szegedy 2015). Each model \
                    is shown images made against itself; a picture shows those made against the first one",
            make: Attacks(Attack::fgsm),
        }
        /// The basic iterative method; its size in units of the pixels' range.
        Bim {
            name: "bim",
            title: "size of the attack by BIM",
            unit: "",
            identity: 0.0,
            values: "Sizes of an attack by ten steps along the sign of the gradient (BIM), pixels being 0..1",
            about: "in ten steps of a quarter of this size, every pixel moves up or down as raises the model's own \
                    loss, no further than by this much of the range 0..1 from where it was (basic iterative method, \
                    Kurakin, Goodfellow and Bengio 2017). Each model is shown images made against itself; a picture \
                    shows those made against the first one",
            make: Attacks(|epsilon| Attack::bim(epsilon, Objective::Loss)),
        }
        /// The same by the scores' gradient; its size in units of the pixels' range.
        BimScores {
            name: "bim-scores",
            title: "size of the attack by BIM on the scores",
            unit: "",
            identity: 0.0,
            values: "Sizes of the same attack by the gradient of the scores, which is there where the loss is flat",
            about: "as bim, but what is raised is the largest score of a wrong class less that of the true one, which \
                    has a gradient where a loss is flat (after Carlini and Wagner 2017). A model that stands bim and \
                    falls to this only hides its gradient",
            make: Attacks(|epsilon| Attack::bim(epsilon, Objective::Scores)),
        }
    }
}

impl Family {
    /// The name of its value for the axis of a plot.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The unit of its value; empty for a factor or a share.
    pub const fn unit(self) -> &'static str {
        self.row().unit
    }

    /// The value that leaves every image as it is.
    pub const fn identity(self) -> f64 {
        self.row().identity
    }

    /// What its values are, for the help of a flag.
    pub const fn values(self) -> &'static str {
        self.row().values
    }

    /// What is done to each image, and which way is positive.
    pub const fn about(self) -> &'static str {
        self.row().about
    }

    /// What is done to images at `value`, transforms reading between the pixels by this sampler.
    ///
    /// # Errors
    ///
    /// [`SpecError`]: a value out of bounds, or a shift by a fraction of a pixel with the nearest-neighbour sampler.
    pub fn change(self, value: f64, resample: Resample) -> Result<Change, SpecError> {
        Ok(match self.row().make {
            Transforms(then) => Change::Transform(then(Pipeline::identity().with_resample(resample)?, value)?),
            Attacks(attack) => Change::Attack(attack(value)?),
        })
    }

    /// Whether it is one of attacks, which need the gradient of the network that is tested.
    pub const fn attacks(self) -> bool {
        matches!(self.row().make, Attacks(_))
    }
}
