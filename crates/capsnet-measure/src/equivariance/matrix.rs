//! Activations as numbers in rows and columns, and the products that the measures need.

/// Activations of a layer: a row a sample, a column a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of values in row-major order.
    ///
    /// # Panics
    ///
    /// If there are not `rows * columns` values.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "values of a {rows} x {columns} matrix");
        Self { rows, columns, values }
    }

    /// A matrix of zeros.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self::new(rows, columns, vec![0.0; rows * columns])
    }

    /// The number of samples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of units.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// One sample.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The samples in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.rows).map(|row| self.row(row))
    }

    /// The samples of the given indices, in that order.
    pub fn pick(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self::new(rows.len(), self.columns, values)
    }

    /// The units `from..from + count` of every sample.
    pub(crate) fn slice(&self, from: usize, count: usize) -> Self {
        let values = self.iter().flat_map(|row| &row[from..from + count]).copied();
        Self::new(self.rows, count, values.collect())
    }

    /// The mean of each unit.
    pub(crate) fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.columns];
        self.iter().for_each(|row| add_scaled(&mut mean, 1.0, row));
        mean.iter_mut().for_each(|sum| *sum /= self.rows as f64);
        mean
    }

    /// The matrix less `origin` in every row.
    pub(crate) fn less(mut self, origin: &[f64]) -> Self {
        (0..self.rows).for_each(|row| add_scaled(self.row_mut(row), -1.0, origin));
        self
    }

    /// The matrix less another one of the same size.
    pub(crate) fn less_matrix(mut self, other: &Matrix) -> Self {
        add_scaled(&mut self.values, -1.0, &other.values);
        self
    }

    /// The sum of all squares.
    pub(crate) fn energy(&self) -> f64 {
        squared(&self.values)
    }

    /// `self other^T`: the products of all rows of both.
    pub(crate) fn times_transposed(&self, other: &Matrix) -> Matrix {
        let products = self.iter().flat_map(|a| other.iter().map(move |b| dot(a, b)));
        Matrix::new(self.rows, other.rows, products.collect())
    }

    /// `self^T`.
    pub(crate) fn transposed(&self) -> Matrix {
        let values = (0..self.columns).flat_map(|column| self.iter().map(move |row| row[column]));
        Matrix::new(self.columns, self.rows, values.collect())
    }

    /// `self other`.
    pub(crate) fn times(&self, other: &Matrix) -> Matrix {
        let mut product = Matrix::zeros(self.rows, other.columns);
        for row in 0..self.rows {
            let weights = self.row(row);
            for (&weight, other) in weights.iter().zip(other.iter()) {
                add_scaled(product.row_mut(row), weight, other);
            }
        }
        product
    }
}

/// The sum of products, in an order that does not depend on anything but the length.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_blocks.remainder(), b_blocks.remainder());
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// Adds `scale * values` to `sums`.
pub(crate) fn add_scaled(sums: &mut [f64], scale: f64, values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += scale * value;
    }
}

/// The sum of squares.
pub(crate) fn squared(values: &[f64]) -> f64 {
    dot(values, values)
}

/// The squared distance of two vectors.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_sums_over_the_common_index() {
        let a = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let b = Matrix::new(2, 3, vec![1.0, 0.0, -1.0, 2.0, 1.0, 0.0]);
        assert_eq!(a.times_transposed(&b).values(), [-2.0, 4.0, -2.0, 13.0]);
        assert_eq!(a.times(&b.transposed()), a.times_transposed(&b));
        assert_eq!(a.mean(), [2.5, 3.5, 4.5]);
        assert_eq!(a.pick(&[1, 0]).slice(1, 2).values(), [5.0, 6.0, 2.0, 3.0]);
        let long: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&long, &long), 2109.0);
    }
}
