//! Attacks by the gradient: what is done to the pixels of an image to make a network fail, as plain numbers.
//!
//! | family | steps | source |
//! |---|---|---|
//! | `fgsm=E` | one of E, along the sign of the gradient of the network's own loss | Goodfellow et al. 2015 |
//! | `bim=E` | 10 of E/4, no pixel further than E from where it was, the same gradient | Kurakin et al. 2017 |
//! | `bim-scores=E` | the same, by the gradient of the largest wrong score less the true class's | Carlini 2017 |
//!
//! E is in units of the pixels' range 0..1; pixels stay in it. The third is there because a loss may be flat where a
//! network is sure (a margin loss that is met has no gradient at all): a network that stands `bim` and falls to
//! `bim-scores` only hides its gradient.
//!
//! Sources: Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples" (ICLR 2015); Kurakin,
//! Goodfellow, Bengio, "Adversarial examples in the physical world" (ICLR workshop 2017); Carlini and Wagner, "Towards
//! evaluating the robustness of neural networks" (S&P 2017), whose loss f6 `Scores` is, before its exponent.

use std::fmt;
use std::str::FromStr;

use crate::transform::{SpecError, ValueProblem};

/// Steps of `bim`.
const STEPS: u32 = 10;
/// The most steps.
const MOST_STEPS: u32 = 10_000;

/// What is made as large as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Objective {
    /// The network's training loss for the true class.
    Loss,
    /// The largest score of a wrong class, less that of the true class.
    Scores,
}

/// A number of steps along the sign of a gradient, each pixel staying within `epsilon` of where it was, and in 0..1.
///
/// ```
/// use capsnet_data::protocol::Attack;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let attack: Attack = "bim=0.1".parse()?;
/// assert_eq!((attack.epsilon(), attack.steps(), attack.step()), (0.1, 10, 0.025));
/// assert_eq!("bim=0.1:20:0.01".parse::<Attack>()?.to_string(), "bim=0.1:20:0.01");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attack {
    epsilon: f64,
    steps: u32,
    step: f64,
    objective: Objective,
}

impl Attack {
    /// The names of the texts that are attacks.
    pub const NAMES: [&str; 3] = ["fgsm", "bim", "bim-scores"];

    /// The fast gradient sign method: one step of `epsilon`.
    ///
    /// # Errors
    ///
    /// If `epsilon` isn't in 0..=1.
    pub fn fgsm(epsilon: f64) -> Result<Self, SpecError> {
        Self::new(epsilon, 1, epsilon, Objective::Loss)
    }

    /// The basic iterative method: ten steps of a quarter of `epsilon`.
    ///
    /// # Errors
    ///
    /// If `epsilon` isn't in 0..=1.
    pub fn bim(epsilon: f64, objective: Objective) -> Result<Self, SpecError> {
        Self::new(epsilon, STEPS, epsilon / 4.0, objective)
    }

    /// So many steps of the size `step`.
    ///
    /// # Errors
    ///
    /// Unless `epsilon` and `step` are in 0..=1 and there are 1 to 10,000 steps.
    pub fn new(epsilon: f64, steps: u32, step: f64, objective: Objective) -> Result<Self, SpecError> {
        let attack = Self {
            epsilon,
            steps,
            step,
            objective,
        };
        for size in [epsilon, step] {
            if !(0.0..=1.0).contains(&size) {
                return Err(wrong(&attack.to_string(), ValueProblem::OutOfBounds(size)));
            }
        }
        match (1..=MOST_STEPS).contains(&steps) {
            true => Ok(attack),
            false => Err(wrong(&attack.to_string(), ValueProblem::OutOfBounds(steps.into()))),
        }
    }

    /// How far a pixel may move, in units of its range 0..1.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// How many steps there are.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// How far a pixel moves in a step, in units of its range 0..1.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// What is made large.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// Whether it leaves every image as it is.
    pub fn is_identity(&self) -> bool {
        self.epsilon == 0.0 || self.step == 0.0
    }

    /// Whether a text is to be read as an attack: whether its name is one's.
    pub fn is_named_in(text: &str) -> bool {
        let name = text.split('=').next().unwrap_or_default();
        Self::NAMES.contains(&name.trim())
    }
}

fn wrong(item: &str, problem: ValueProblem) -> SpecError {
    SpecError::Value {
        item: item.to_owned(),
        problem,
        expected: "a size in units of the pixels' range 0..1, and perhaps a number of steps and the size of each",
        example: "fgsm=0.1 or bim=0.1:10:0.025",
    }
}

/// As it is read; steps are written where they aren't the usual ones.
impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epsilon,
            steps,
            step,
            objective,
        } = *self;
        match objective {
            Objective::Loss if steps == 1 && step == epsilon => return write!(f, "fgsm={epsilon}"),
            Objective::Loss => write!(f, "bim={epsilon}")?,
            Objective::Scores => write!(f, "bim-scores={epsilon}")?,
        }
        match steps == STEPS && step == epsilon / 4.0 {
            true => Ok(()),
            false => write!(f, ":{steps}:{step}"),
        }
    }
}

impl FromStr for Attack {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, values) = text.split_once('=').ok_or_else(|| wrong(text, ValueProblem::Missing))?;
        let parts: Vec<&str> = values.split(':').map(str::trim).collect();
        let number = |text: &str| {
            let number = text.parse::<f64>();
            number.map_err(|_| wrong(values, ValueProblem::NotANumber(text.to_owned())))
        };
        let objective = match name.trim() {
            "fgsm" | "bim" => Objective::Loss,
            "bim-scores" => Objective::Scores,
            _ => return Err(wrong(text, ValueProblem::NotANumber(name.to_owned()))),
        };
        match (name.trim(), parts[..].len()) {
            ("fgsm", 1) => Self::fgsm(number(parts[0])?),
            ("bim" | "bim-scores", 1) => Self::bim(number(parts[0])?, objective),
            ("bim" | "bim-scores", 3) => {
                let steps = parts[1].parse();
                let steps = steps.map_err(|_| wrong(text, ValueProblem::NotANumber(parts[1].to_owned())))?;
                Self::new(number(parts[0])?, steps, number(parts[2])?, objective)
            }
            (_, found) => Err(wrong(text, ValueProblem::PartCount { found })),
        }
    }
}
