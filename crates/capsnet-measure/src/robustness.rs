//! Robustness beside a reference, and along a perturbation.
//!
//! | measure | what | source |
//! |---|---|---|
//! | [`mean_corruption_error`] | mean over corruptions of the error over a reference's | Hendrycks 2019 |
//! | [`relative_corruption_error`] | the same of what corruption adds to the error on clean images | Hendrycks 2019 |
//! | [`flip_probability`] | how often the answer changes from frame to frame | Hendrycks 2019, section 3.2 |
//! | [`consistency`] | how often the answers under two shifts are the same | Zhang 2019, section 4 |
//!
//! Sources: Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations"
//! (ICLR 2019), whose reference is AlexNet; on digits it is LeNet-5, and there is one severity of each corruption, as
//! in MNIST-C. Zhang, "Making convolutional networks shift-invariant again" (ICML 2019).
//!
//! ```
//! use capsnet_measure::robustness::{Against, flip_probability, mean_corruption_error};
//!
//! // Half the reference's errors under one corruption, twice as many under the other.
//! assert_eq!(mean_corruption_error(&[(0.1, 0.2), (0.4, 0.2)]), Some(1.25));
//! // Two images in three frames: one answer changes, in the last.
//! let frames = [vec![7, 1], vec![7, 1], vec![7, 3]];
//! assert_eq!(flip_probability(&frames, Against::Previous), Some(0.25));
//! ```

/// What the answer to a frame is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The answer to the frame before: a perturbation that grows.
    Previous,
    /// The answer to the first frame: noise, which is drawn anew in each.
    First,
}

/// The mean of error over error of a reference, of pairs (a model's, the reference's), each of one corruption; 1 is as
/// good as the reference, 0 is never wrong. `None` where there are no pairs, or the reference makes no error.
#[must_use]
pub fn mean_corruption_error(errors: &[(f64, f64)]) -> Option<f64> {
    let possible = !errors.is_empty() && errors.iter().all(|&(_, reference)| reference > 0.0);
    possible.then(|| errors.iter().map(|(error, reference)| error / reference).sum::<f64>() / errors.len() as f64)
}

/// The same of errors less those on clean images, (the model's, the reference's): what the corruption costs. `None` too
/// where a corruption costs the reference nothing.
#[must_use]
pub fn relative_corruption_error(errors: &[(f64, f64)], clean: (f64, f64)) -> Option<f64> {
    let cost = |&(error, reference): &(f64, f64)| (error - clean.0, reference - clean.1);
    mean_corruption_error(&errors.iter().map(cost).collect::<Vec<_>>())
}

/// How often an image's answer changes along frames of a growing perturbation, `frames[k]` being the answers to all
/// images in frame `k`: the share of pairs of frames. `None` without images or a second frame.
///
/// # Panics
///
/// If frames have different numbers of images.
#[must_use]
pub fn flip_probability(frames: &[Vec<u8>], against: Against) -> Option<f64> {
    let first = frames.first()?;
    let pairs = (frames.len() - 1) * first.len();
    let flips: usize = (1..frames.len())
        .map(|frame| {
            let before = match against {
                Against::Previous => &frames[frame - 1],
                Against::First => first,
            };
            assert_eq!(before.len(), frames[frame].len(), "every frame shows the same images");
            before
                .iter()
                .zip(&frames[frame])
                .filter(|(one, other)| one != other)
                .count()
        })
        .sum();
    (pairs > 0).then(|| flips as f64 / pairs as f64)
}

/// How often the answers to an image under two different transforms are the same, over all pairs of the transforms,
/// `answers[k]` being the answers to all images under transform `k`. `None` without images or a second transform.
///
/// # Panics
///
/// If transforms have different numbers of images.
#[must_use]
pub fn consistency(answers: &[Vec<u8>]) -> Option<f64> {
    let images = answers.first()?.len();
    let (mut same, mut pairs) = (0, 0);
    for (number, one) in answers.iter().enumerate() {
        for other in &answers[number + 1..] {
            assert_eq!(one.len(), other.len(), "every transform is of the same images");
            same += one.iter().zip(other).filter(|(one, other)| one == other).count();
            pairs += images;
        }
    }
    (pairs > 0).then(|| same as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_weighed_by_the_reference_and_clean_errors_taken_off() {
        let errors = [(0.3, 0.2), (0.1, 0.4)];
        let mean = mean_corruption_error(&errors).unwrap();
        assert!((mean - (1.5 + 0.25) / 2.0).abs() < 1e-12);
        let relative = relative_corruption_error(&errors, (0.05, 0.1)).unwrap();
        assert!((relative - (0.25 / 0.1 + 0.05 / 0.3) / 2.0).abs() < 1e-12);
        assert_eq!(mean_corruption_error(&[]), None);
        assert_eq!(mean_corruption_error(&[(0.1, 0.0)]), None);
        assert_eq!(relative_corruption_error(&[(0.1, 0.2)], (0.0, 0.2)), None);
    }

    #[test]
    fn answers_are_consistent_pair_by_pair() {
        // Of three shifts, two agree on the first image, all on the second.
        assert_eq!(consistency(&[vec![1, 5], vec![1, 5], vec![2, 5]]), Some(4.0 / 6.0));
        assert_eq!(consistency(&[vec![1, 5]]), None);
        assert_eq!(consistency(&[]), None);
    }

    #[test]
    fn flips_are_counted_from_frame_to_frame_or_from_the_first() {
        // The first image goes 1, 2, 1, 2; the second stays.
        let frames = [vec![1, 5], vec![2, 5], vec![1, 5], vec![2, 5]];
        assert_eq!(flip_probability(&frames, Against::Previous), Some(3.0 / 6.0));
        assert_eq!(flip_probability(&frames, Against::First), Some(2.0 / 6.0));
        assert_eq!(flip_probability(&frames[..1], Against::First), None);
        assert_eq!(flip_probability(&[vec![], vec![]], Against::First), None);
        assert_eq!(flip_probability(&[], Against::First), None);
    }
}
