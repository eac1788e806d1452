//! How well poses follow known moves of images, and pictures of a few.

use serde::Serialize;

use super::Size;

/// What a transforming auto-encoder made of moved images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovery {
    /// The data set.
    pub dataset: String,
    /// Images that were moved.
    pub images: usize,
    /// The squared error of the drawn images, summed over pixels, in the mean.
    pub loss: f64,
    /// The numbers of a move, each as its poses tell it.
    pub numbers: Vec<Recovered>,
    /// A few images.
    #[serde(skip)]
    pub shown: Vec<MovedImage>,
    /// The size of all images.
    #[serde(skip)]
    pub size: Size,
}

/// A number of moves, as it was and as poses tell it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovered {
    /// `x` and `y` in pixels; or an element of a matrix.
    pub name: String,
    /// One minus the squared error over the variance of the true numbers.
    pub r_squared: f64,
    /// Of the line that fits recovered numbers to true ones best.
    pub slope: f64,
    /// Of the same line, at 0.
    pub offset: f64,
    /// The root of the mean squared error.
    pub error: f64,
    /// Each image's true number and recovered one.
    #[serde(skip)]
    pub points: Vec<[f64; 2]>,
}

/// An image, and after its move: as it is, and as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedImage {
    /// The image, 0..1, plane by plane.
    pub input: Vec<f32>,
    /// After the move.
    pub target: Vec<f32>,
    /// What the capsules draw.
    pub output: Vec<f32>,
    /// The true numbers of the move.
    pub truth: Vec<f64>,
    /// As poses tell them.
    pub recovered: Vec<f64>,
}

impl Recovered {
    /// Of pairs of a true number and a recovered one.
    pub fn new(name: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        let count = points.len() as f64;
        let mean = |of: &dyn Fn(&[f64; 2]) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (true_mean, found_mean) = (mean(&|p| p[0]), mean(&|p| p[1]));
        let variance = mean(&|p| (p[0] - true_mean).powi(2));
        let covariance = mean(&|p| (p[0] - true_mean) * (p[1] - found_mean));
        let squared = mean(&|p| (p[1] - p[0]).powi(2));
        let slope = covariance / variance;
        Self {
            name: name.into(),
            r_squared: 1.0 - squared / variance,
            slope,
            offset: found_mean - slope * true_mean,
            error: squared.sqrt(),
            points,
        }
    }
}

/// A recovery, with the model whose it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecoveryTest {
    /// The model's name, as commands know it.
    pub model: String,
    /// The file that its weights are from.
    pub weights: String,
    /// Its trainable parameters.
    pub parameters: usize,
    /// Of the moves.
    pub seed: u64,
    /// How well its poses follow them.
    #[serde(flatten)]
    pub recovery: Recovery,
    /// The model's name in a text.
    #[serde(skip)]
    pub title: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_its_error_counts() {
        let line = Recovered::new("x", vec![[-2.0, -0.5], [0.0, 0.5], [2.0, 1.5]]);
        assert!((line.slope - 0.5).abs() < 1e-12 && (line.offset - 0.5).abs() < 1e-12);
        // Errors 1.5, 0.5 and -0.5; the variance is 8 / 3.
        let squared = (2.25 + 0.25 + 0.25) / 3.0;
        assert!((line.error - f64::sqrt(squared)).abs() < 1e-12);
        assert!((line.r_squared - (1.0 - squared * 3.0 / 8.0)).abs() < 1e-12);
        let exact = Recovered::new("y", vec![[1.0, 1.0], [3.0, 3.0]]);
        assert_eq!((exact.r_squared, exact.slope, exact.error), (1.0, 1.0, 0.0));
    }
}
