//! Eigenvalues and eigenvectors of a symmetric matrix by one-sided Jacobi rotations (Hestenes 1958).
//!
//! Rows are turned in pairs until all of them are orthogonal. What is then left of a symmetric positive semidefinite
//! matrix are its eigenvectors as rows, each as long as its eigenvalue.

use super::matrix::{Matrix, dot, squared};

/// Cosine under which two rows count as orthogonal.
const ORTHOGONAL: f64 = 1e-13;
/// Eigenvalues below this share of the largest are rounding errors.
const NEGLIGIBLE: f64 = 1e-12;
/// Far more than any matrix needs; six to ten are usual.
const SWEEPS: usize = 60;

/// The eigenvalues that are more than rounding errors, largest first, and their unit eigenvectors as rows.
///
/// The matrix has to be symmetric without negative eigenvalues, as Gram matrices are.
pub(crate) fn eigen(mut matrix: Matrix) -> (Vec<f64>, Matrix) {
    let size = matrix.rows();
    let mut norms: Vec<f64> = matrix.iter().map(squared).collect();
    for _ in 0..SWEEPS {
        let floor = norms.iter().copied().fold(0.0, f64::max) * NEGLIGIBLE * NEGLIGIBLE;
        let mut turned = false;
        for p in 0..size {
            for q in p + 1..size {
                let (a, b) = (norms[p], norms[q]);
                if a <= floor || b <= floor {
                    continue;
                }
                let product = dot(matrix.row(p), matrix.row(q));
                if product.abs() <= ORTHOGONAL * (a * b).sqrt() {
                    continue;
                }
                turn(&mut matrix, p, q, (b - a) / (2.0 * product));
                norms[p] = squared(matrix.row(p));
                norms[q] = squared(matrix.row(q));
                turned = true;
            }
        }
        if !turned {
            break;
        }
    }
    let largest = norms.iter().copied().fold(0.0, f64::max).sqrt();
    let mut order: Vec<usize> = (0..size)
        .filter(|&row| norms[row].sqrt() > NEGLIGIBLE * largest)
        .collect();
    order.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
    let values: Vec<f64> = order.iter().map(|&row| norms[row].sqrt()).collect();
    let mut vectors = matrix.pick(&order);
    for (row, value) in values.iter().enumerate() {
        vectors.row_mut(row).iter_mut().for_each(|x| *x /= value);
    }
    (values, vectors)
}

/// Turns rows `p < q` so that they become orthogonal; `cot` is the cotangent of twice the angle.
fn turn(matrix: &mut Matrix, p: usize, q: usize, cot: f64) {
    let tan = cot.signum() / (cot.abs() + cot.hypot(1.0));
    let cos = 1.0 / tan.hypot(1.0);
    let sin = cos * tan;
    let [first, second] = matrix.two_rows_mut(p, q);
    for (x, y) in first.iter_mut().zip(second) {
        let (a, b) = (*x, *y);
        *x = cos * a - sin * b;
        *y = sin * a + cos * b;
    }
}

impl Matrix {
    /// Rows `p < q`.
    fn two_rows_mut(&mut self, p: usize, q: usize) -> [&mut [f64]; 2] {
        let columns = self.columns();
        let (head, tail) = self.values_mut().split_at_mut(q * columns);
        [&mut head[p * columns..(p + 1) * columns], &mut tail[..columns]]
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::noise;
    use super::*;
    use capsnet_data::random::Seed;

    #[test]
    fn the_matrix_is_put_together_again() {
        // Rank 4 of 9, one eigenvalue twice.
        let factors = noise(4, 9, &mut Seed(1).stream("eigen", 0, 0));
        let gram = factors.transposed().times(&factors);
        let (values, vectors) = eigen(gram.clone());
        assert_eq!(values.len(), 4);
        assert!(values.is_sorted_by(|a, b| a >= b));
        let scaled = Matrix::new(
            4,
            9,
            (0..4)
                .flat_map(|k| vectors.row(k).iter().map(move |x| (k, *x)).collect::<Vec<_>>())
                .map(|(k, x)| x * values[k])
                .collect(),
        );
        let again = vectors.transposed().times(&scaled);
        for (a, b) in again.values().iter().zip(gram.values()) {
            assert!((a - b).abs() < 1e-11, "{a} {b}");
        }
        for i in 0..4 {
            for j in 0..4 {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(vectors.row(i), vectors.row(j)) - expected).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn known_eigenvalues() {
        let (values, _) = eigen(Matrix::new(2, 2, vec![2.0, 1.0, 1.0, 2.0]));
        assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
        assert!(eigen(Matrix::zeros(3, 3)).0.is_empty());
    }
}
