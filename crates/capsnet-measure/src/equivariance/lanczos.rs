//! The largest eigenvalue of `D^T D` by Lanczos's method, for matrices that are too large to take apart at every angle.

use capsnet_data::random::Seed;

use super::matrix::{Matrix, add_scaled, dot, squared};
use super::sample::noise;

/// Relative change under which the eigenvalue has arrived, over [`CHECK_EVERY`] steps.
const ARRIVED: f64 = 1e-11;
const CHECK_EVERY: usize = 8;
/// Halvings of an interval that exhaust a double.
const HALVINGS: usize = 80;

/// The largest eigenvalue of the sum of the rows' outer products, 0 for a matrix of zeros.
///
/// Every step is orthogonalised against all earlier ones, so that at the latest the whole space has been searched.
pub(crate) fn largest_eigenvalue(rows: &Matrix) -> f64 {
    // A random mixture of the rows: it turns with them, so the result does not depend on the basis.
    let weights = noise(1, rows.rows(), &mut Seed(0).stream("lanczos", 0, 0));
    let mut direction = weights.times(rows).row(0).to_vec();
    let (mut basis, mut diagonal, mut beside) = (Vec::new(), Vec::new(), Vec::<f64>::new());
    let mut before = 0.0;
    loop {
        let length = squared(&direction).sqrt();
        if basis.is_empty() && length == 0.0 {
            return 0.0;
        }
        direction.iter_mut().for_each(|x| *x /= length);
        basis.push(direction.clone());
        let images: Vec<f64> = rows.iter().map(|row| dot(row, &direction)).collect();
        let mut next = vec![0.0; rows.columns()];
        rows.iter()
            .zip(&images)
            .for_each(|(row, &x)| add_scaled(&mut next, x, row));
        diagonal.push(squared(&images));
        // Twice is enough (Parlett 1980).
        for _ in 0..2 {
            for known in &basis {
                let along = dot(known, &next);
                add_scaled(&mut next, -along, known);
            }
        }
        let left = squared(&next).sqrt();
        let exhausted = left <= 1e-13 * diagonal[0].max(largest_diagonal(&diagonal)) || basis.len() == rows.columns();
        if exhausted || basis.len().is_multiple_of(CHECK_EVERY) {
            let largest = largest_of_tridiagonal(&diagonal, &beside);
            if exhausted || largest - before <= ARRIVED * largest {
                return largest;
            }
            before = largest;
        }
        beside.push(left);
        direction = next;
    }
}

fn largest_diagonal(diagonal: &[f64]) -> f64 {
    diagonal.iter().copied().fold(0.0, f64::max)
}

/// By bisection: the number of eigenvalues below a value is that of negative pivots of the shifted matrix (Sturm).
fn largest_of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> f64 {
    let size = diagonal.len();
    let all_are_below = |value: f64| {
        let mut pivot = diagonal[0] - value;
        let mut negative = pivot < 0.0;
        for k in 1..size {
            if !negative {
                return false;
            }
            pivot = diagonal[k] - value - beside[k - 1] * beside[k - 1] / pivot;
            negative = pivot < 0.0;
        }
        negative
    };
    let reach = 2.0 * beside[..size - 1].iter().copied().fold(0.0, f64::max);
    let mut low = largest_diagonal(diagonal);
    let mut high = low + reach;
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if all_are_below(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::super::eigen::eigen;
    use super::*;

    #[test]
    fn it_is_that_of_the_whole_decomposition() {
        for (rows, columns) in [(1, 5), (5, 1), (3, 2), (40, 7), (7, 40), (60, 90), (200, 64)] {
            let matrix = noise(rows, columns, &mut Seed(2).stream("test", rows as u64, columns as u64));
            let expected = eigen(matrix.times_transposed(&matrix)).0[0];
            let found = largest_eigenvalue(&matrix);
            assert!((found - expected).abs() < 1e-9 * expected, "{found} {expected}");
        }
        assert_eq!(largest_eigenvalue(&Matrix::zeros(3, 4)), 0.0);
    }
}
