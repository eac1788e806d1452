//! A safe door to the `gemm` crate: row-major or strided f32 matrices on slices, one thread.

use gemm::Parallelism;

/// A matrix in a slice: element (i, j) at `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// `c (+)= a b`, with `a` of `m x k`, `b` of `k x n`, and `c` of `m x n` with rows `row_of_c` apart.
///
/// # Panics
/// If a matrix doesn't fit its slice: a bug of the caller, found before memory is touched.
pub(crate) fn multiply(
    [m, k, n]: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    (c, row_of_c): (&mut [f32], usize),
    accumulate: bool,
) {
    assert!(m > 0 && k > 0 && n > 0, "empty matrix product");
    assert!(
        (m - 1) * a.row + (k - 1) * a.column < a.data.len(),
        "left matrix too short"
    );
    assert!(
        (k - 1) * b.row + (n - 1) * b.column < b.data.len(),
        "right matrix too short"
    );
    assert!(
        (m - 1) * row_of_c + (n - 1) < c.len() && n <= row_of_c,
        "result too short"
    );
    // SAFETY: the assertions hold the last element of each matrix, and thereby all, inside its slice. `c` is borrowed
    // exclusively, so it overlaps neither operand, and its rows don't overlap one another.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            row_of_c as isize,
            accumulate,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            if accumulate { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
