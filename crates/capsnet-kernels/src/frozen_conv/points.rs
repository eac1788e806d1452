//! The interpolation points of the small tile, and the matrices of the one-dimensional transforms.
//!
//! `m` outputs of a correlation with five taps cost `m + 4` products, one a point; the last point is infinity, and with
//! four taps it drops out. With `M(z)` the product of `z - point` over the finite points,
//!
//! ```text
//! outputs = VALUES_m^T ((VALUES_n taps / M'(point)) * (WINDOW window))
//! ```
//!
//! where row `p` of `VALUES_k` holds the powers 0..k of point `p`, and that of `WINDOW` the coefficients of
//! `M(z) / (z - point)`. At infinity these are the highest power alone, and the coefficients of `M(z)`.
//! `docs/kernels.md` derives it.

/// Rows and columns of a tile of outputs.
pub(super) const TILE: [usize; 2] = [2, 3];
/// Products along the rows and the columns, with the point at infinity.
pub(super) const POINTS: [usize; 2] = [TILE[0] + 4, TILE[1] + 4];

/// The points along the rows. These and those of the columns have the smallest error in f32 of all that were tried.
const ROW_POINTS: [f64; POINTS[0]] = [0.0, 1.0, -1.0, 2.0, -0.5, f64::INFINITY];
/// The points along the columns.
const COLUMN_POINTS: [f64; POINTS[1]] = [1.0, -1.0, 2.0, -2.0, 0.5, -0.5, f64::INFINITY];

/// Input window to factors of the products, along the rows. For four taps, the matrix without its last row and column.
pub(super) const ROW_WINDOW: [[f32; POINTS[0]]; POINTS[0]] = window(ROW_POINTS);
/// The same along the columns.
pub(super) const COLUMN_WINDOW: [[f32; POINTS[1]]; POINTS[1]] = window(COLUMN_POINTS);
/// Products to outputs, along the rows.
pub(super) const ROW_OUTPUTS: [[f32; POINTS[0]]; TILE[0]] = outputs(ROW_POINTS);
/// The same along the columns.
pub(super) const COLUMN_OUTPUTS: [[f32; POINTS[1]]; TILE[1]] = outputs(COLUMN_POINTS);

/// Taps to factors of the products along the rows, weighted by 1 / M'(point).
pub(super) const fn row_taps<const TAPS: usize>() -> [[f64; TAPS]; POINTS[0]] {
    weighted_taps(ROW_POINTS)
}

/// The same along the columns.
pub(super) const fn column_taps<const TAPS: usize>() -> [[f64; TAPS]; POINTS[1]] {
    weighted_taps(COLUMN_POINTS)
}

/// Coefficients of the product of `z - point` over the finite points but number `skip`, lowest first.
const fn multiply_out<const P: usize>(points: [f64; P], skip: usize) -> [f64; P] {
    let mut product = [0.0; P];
    product[0] = 1.0;
    let mut factor = 0;
    while factor < P - 1 {
        if factor != skip {
            let mut i = P - 1;
            while i > 0 {
                product[i] = product[i - 1] - points[factor] * product[i];
                i -= 1;
            }
            product[0] *= -points[factor];
        }
        factor += 1;
    }
    product
}

const fn window<const P: usize>(points: [f64; P]) -> [[f32; P]; P] {
    let mut out = [[0.0; P]; P];
    let mut point = 0;
    while point < P {
        let coefficients = multiply_out(points, point);
        let mut i = 0;
        while i < P {
            out[point][i] = coefficients[i] as f32;
            i += 1;
        }
        point += 1;
    }
    out
}

/// Powers `0..N` of a point; at infinity, the highest alone counts.
const fn powers<const N: usize>(point: f64) -> [f64; N] {
    let mut out = [0.0; N];
    if point == f64::INFINITY {
        out[N - 1] = 1.0;
        return out;
    }
    let (mut i, mut power) = (0, 1.0);
    while i < N {
        out[i] = power;
        power *= point;
        i += 1;
    }
    out
}

const fn outputs<const P: usize, const M: usize>(points: [f64; P]) -> [[f32; P]; M] {
    let mut out = [[0.0; P]; M];
    let mut point = 0;
    while point < P {
        let powers = powers::<M>(points[point]);
        let mut i = 0;
        while i < M {
            out[i][point] = powers[i] as f32;
            i += 1;
        }
        point += 1;
    }
    out
}

const fn weighted_taps<const P: usize, const N: usize>(points: [f64; P]) -> [[f64; N]; P] {
    let mut out = [[0.0; N]; P];
    let mut point = 0;
    while point < P {
        // M'(point), the product of the differences from the other finite points.
        let mut slope = 1.0;
        let mut other = 0;
        while other < P - 1 && point < P - 1 {
            if other != point {
                slope *= points[point] - points[other];
            }
            other += 1;
        }
        out[point] = powers(points[point]);
        let mut i = 0;
        while i < N {
            out[point][i] /= slope;
            i += 1;
        }
        point += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs of one dimension by the transforms, in f64: `taps` of 5 or 4, a window of as many as they need.
    fn transformed<const P: usize, const M: usize, const N: usize>(
        points: [f64; P],
        taps: [f64; N],
        window_values: &[f64],
    ) -> [f64; M] {
        let products = P + N - 5;
        let (kernel, to_outputs): ([[f64; N]; P], [[f32; P]; M]) = (weighted_taps(points), outputs(points));
        let mut sums = [0.0; M];
        for p in 0..products {
            let of_taps: f64 = kernel[p].iter().zip(taps).map(|(k, tap)| k * tap).sum();
            let of_window: f64 = (0..products)
                .map(|i| f64::from(window(points)[p][i]) * window_values[i])
                .sum();
            for (sum, to_output) in sums.iter_mut().zip(to_outputs) {
                *sum += f64::from(to_output[p]) * of_taps * of_window;
            }
        }
        sums
    }

    fn check<const P: usize, const M: usize, const N: usize>(points: [f64; P]) {
        let taps: [f64; N] = std::array::from_fn(|i| (i as f64 * 1.7 + 0.3).sin());
        let window: Vec<f64> = (0..M + N - 1).map(|i| (i as f64 * 2.3 + 0.1).cos()).collect();
        let got: [f64; M] = transformed(points, taps, &window);
        for (output, got) in got.iter().enumerate() {
            let expected: f64 = (0..N).map(|k| taps[k] * window[output + k]).sum();
            assert!((got - expected).abs() < 1e-12, "{got} instead of {expected}");
        }
    }

    #[test]
    fn transforms_make_correlations() {
        check::<{ POINTS[0] }, { TILE[0] }, 5>(ROW_POINTS);
        check::<{ POINTS[0] }, { TILE[0] }, 4>(ROW_POINTS);
        check::<{ POINTS[1] }, { TILE[1] }, 5>(COLUMN_POINTS);
        check::<{ POINTS[1] }, { TILE[1] }, 4>(COLUMN_POINTS);
    }

    #[test]
    fn matrices_of_pixels_are_exact_in_f32() {
        let exact = |points: [f64; POINTS[1]]| {
            let rounded = window(points);
            (0..POINTS[1]).all(|p| rounded[p].map(f64::from) == multiply_out(points, p))
        };
        assert!(exact(COLUMN_POINTS));
        // (z^2 - 1)(z - 2)(z + 1/2) z, worked out by hand.
        assert_eq!(ROW_WINDOW[POINTS[0] - 1], [0.0, 1.0, 1.5, -2.0, -1.5, 1.0]);
    }
}
