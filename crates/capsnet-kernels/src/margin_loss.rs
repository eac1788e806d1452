//! The margin loss of capsule lengths, with the gradient in the same visit.

use crate::error::{KernelError, expect_len};

/// Constants of the margin loss (Sabour, Frosst, Hinton 2017, equation 4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    /// Length `m+` above which a present class costs nothing. The paper has 0.9.
    pub present: f64,
    /// Length `m-` below which an absent class costs nothing. The paper has 0.1.
    pub absent: f64,
    /// Weight `lambda` of the absent classes, which keeps them from shrinking every capsule early on. The paper has
    /// 0.5.
    pub absent_weight: f64,
}

/// The paper's.
impl Default for Margins {
    fn default() -> Self {
        Self {
            present: 0.9,
            absent: 0.1,
            absent_weight: 0.5,
        }
    }
}

/// The margin loss of a batch of lengths, and its gradient.
///
/// With `x` and `t` `[batch, classes]`, where `t` is 1 for a class that is present and 0 for one that isn't:
///
/// ```text
/// loss = 1 / batch  sum over n, k of  t max(0, m+ - x)^2 + lambda (1 - t) max(0, x - m-)^2
/// dx = 2 / batch  (lambda (1 - t) max(0, x - m-) - t max(0, m+ - x))
/// ```
///
/// Sums run in the order of the slices. Overwrites `dx` if it is asked for.
///
/// # Errors
/// [`KernelError::ZeroDimension`] if the batch is empty, and [`KernelError::WrongLength`] if the samples are not whole.
///
/// ```
/// use capsnet_kernels::{Margins, margin_loss};
///
/// let margins = Margins { present: 0.75, absent: 0.25, absent_weight: 0.5 };
/// let mut dx = [f32::NAN; 3];
/// let loss = margin_loss(margins, 1, &[0.5, 0.5, 0.125], &[1.0, 0.0, 0.0], Some(&mut dx))?;
/// assert_eq!(loss, 0.25 * 0.25 + 0.5 * 0.25 * 0.25);
/// assert_eq!(dx, [-0.5, 0.25, 0.0]);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
pub fn margin_loss(
    margins: Margins,
    batch: usize,
    x: &[f32],
    t: &[f32],
    mut dx: Option<&mut [f32]>,
) -> Result<f32, KernelError> {
    if batch == 0 {
        return Err(KernelError::ZeroDimension { field: "batch" });
    }
    let classes = x.len() / batch;
    if classes == 0 {
        return Err(KernelError::ZeroDimension { field: "classes" });
    }
    expect_len("x", x, batch * classes)?;
    expect_len("t", t, x.len())?;
    if let Some(dx) = &dx {
        expect_len("dx", dx, x.len())?;
    }
    let [present, absent, absent_weight] =
        [margins.present, margins.absent, margins.absent_weight].map(|constant| constant as f32);
    let slope = 2.0 / batch as f32;
    let mut total = 0.0;
    for (sample, (x, t)) in x.chunks_exact(classes).zip(t.chunks_exact(classes)).enumerate() {
        let mut loss = 0.0;
        for (class, (&x, &t)) in x.iter().zip(t).enumerate() {
            let (missing, excess) = (positive(present - x), positive(x - absent));
            let (pull, push) = (t * missing, absent_weight * (1.0 - t) * excess);
            loss += pull * missing + push * excess;
            if let Some(dx) = &mut dx {
                dx[sample * classes + class] = slope * (push - pull);
            }
        }
        total += loss;
    }
    Ok(total / batch as f32)
}

/// The positive part. NaN stays, where `f32::max` would hide it.
fn positive(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}
