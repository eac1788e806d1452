//! Softmax and the mean negative log-likelihood of the true classes, with the gradient in the same visit.

use crate::error::{KernelError, expect_len};

/// The cross-entropy of a batch of logits, and its gradient.
///
/// With `x` `[batch, classes]` and the true classes `t` `[batch]`:
///
/// ```text
/// loss = mean over n of  (log sum over k of exp(x[n, k])) - x[n, t[n]]
/// dx[n, k] = (softmax(x[n])[k] - (k == t[n])) / batch
/// ```
///
/// The largest logit of a row is subtracted first, so that no exponential overflows. Sums run in the order of the
/// slices. Overwrites `dx` if it is asked for.
///
/// # Errors
/// [`KernelError::ZeroDimension`] if the batch is empty, [`KernelError::WrongLength`] and [`KernelError::NoSuchClass`].
///
/// ```
/// let mut dx = [0.0; 2];
/// let loss = capsnet_kernels::cross_entropy(&[3.0, 3.0], &[1], Some(&mut dx))?;
/// assert_eq!((loss, dx), (2f32.ln(), [0.5, -0.5]));
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
pub fn cross_entropy(x: &[f32], classes: &[i64], mut dx: Option<&mut [f32]>) -> Result<f32, KernelError> {
    let batch = classes.len();
    if batch == 0 {
        return Err(KernelError::ZeroDimension { field: "batch" });
    }
    let width = x.len() / batch;
    if width == 0 {
        return Err(KernelError::ZeroDimension { field: "classes" });
    }
    expect_len("x", x, batch * width)?;
    if let Some(dx) = &dx {
        expect_len("dx", dx, x.len())?;
    }
    let share = 1.0 / batch as f32;
    let mut total = 0.0;
    for (sample, (x, &class)) in x.chunks_exact(width).zip(classes).enumerate() {
        let no_such_class = KernelError::NoSuchClass {
            sample,
            class,
            classes: width,
        };
        let Some(target) = usize::try_from(class).ok().filter(|&target| target < width) else {
            return Err(no_such_class);
        };
        // `max` passes over NaN, but a NaN then comes back through the sum.
        let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = match &mut dx {
            Some(dx) => {
                let dx = &mut dx[sample * width..][..width];
                let mut sum = 0.0;
                for (dx, &x) in dx.iter_mut().zip(x) {
                    *dx = (x - largest).exp();
                    sum += *dx;
                }
                let factor = share / sum;
                for dx in &mut *dx {
                    *dx *= factor;
                }
                dx[target] -= share;
                sum
            }
            None => x.iter().map(|&x| (x - largest).exp()).sum::<f32>(),
        };
        total += sum.ln() - (x[target] - largest);
    }
    Ok(total / batch as f32)
}
