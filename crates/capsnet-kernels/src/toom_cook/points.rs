//! The interpolation points of the Toom-Cook algorithm and all constants that follow from them.
//!
//! Six outputs of a correlation with `n` taps (n = 5 or 4) cost `n + 5` products. The points are 0, the pairs +-1, +-2,
//! +-1/2 and +-i, and, for five taps, infinity. A pair +-a shares the square a^2, so with `w = z^2` the polynomial
//! whose roots are the finite points is
//!
//! ```text
//! M(z) = z F(w),   F(w) = (w - 1)(w - 4)(w - 1/4)(w + 1)
//! ```
//!
//! The two products at +-i are complex conjugates: one complex product, made of three real ones (Karatsuba). That makes
//! eleven real products for five taps and ten for four, numbered
//!
//! ```text
//!  0    1   2    3   4    5     6     7   8      9     10
//!  0   +1  -1   +2  -2  +1/2  -1/2   re  im  re + im  infinity
//! ```
//!
//! The points were chosen by a search for the smallest error in f32 (see `docs/kernels.md`). All constants of this file
//! but the scales are exact in f32.

/// Real products of the transform with the point at infinity (five taps, six outputs).
pub(crate) const POINTS: usize = 11;

/// The real pairs +-a: each `a`.
pub(crate) const PAIRS: [f32; 3] = [1.0, 2.0, 0.5];

/// Powers 0 to 5 of each `a`.
pub(crate) const PAIR_POWERS: [[f32; 6]; 3] = {
    let mut out = [[1.0; 6]; 3];
    let mut pair = 0;
    while pair < 3 {
        let mut k = 1;
        while k < 6 {
            out[pair][k] = out[pair][k - 1] * PAIRS[pair];
            k += 1;
        }
        pair += 1;
    }
    out
};

/// Squares of the points, in the order of the pairs; the last is i^2.
const SQUARES: [f64; 4] = [1.0, 4.0, 0.25, -1.0];

/// Coefficients of F(w), lowest first.
pub(crate) const ALL_SQUARES: [f32; 5] = {
    let product = multiply_out(SQUARES.len());
    let mut out = [0.0; 5];
    let mut i = 0;
    while i < 5 {
        out[i] = product[i] as f32;
        i += 1;
    }
    out
};

/// Coefficients of F(w) / (w - square), lowest first, for each square.
pub(crate) const WITHOUT_SQUARE: [[f32; 4]; 4] = {
    let mut out = [[0.0; 4]; 4];
    let mut skip = 0;
    while skip < 4 {
        let product = multiply_out(skip);
        let mut i = 0;
        while i < 4 {
            out[skip][i] = product[i] as f32;
            i += 1;
        }
        skip += 1;
    }
    out
};

/// The weights of the eleven products: 1 / M'(point), doubled for the complex pair (which stands for two conjugate
/// terms). They are applied on the side of the output, the smallest of the three.
pub(crate) const SCALES: [f32; POINTS] = {
    let mut out = [1.0; POINTS];
    // M'(0) = F(0).
    out[0] = (1.0 / evaluate(multiply_out(4), 0.0)) as f32;
    let mut pair = 0;
    while pair < 3 {
        // M'(a) = 2 a^2 times the product of (a^2 - other squares), the same for both signs.
        let square = SQUARES[pair];
        let scale = 1.0 / (2.0 * square * evaluate(multiply_out(pair), square));
        out[1 + 2 * pair] = scale as f32;
        out[2 + 2 * pair] = scale as f32;
        pair += 1;
    }
    let square = SQUARES[3];
    let scale = 2.0 / (2.0 * square * evaluate(multiply_out(3), square));
    out[7] = scale as f32;
    out[8] = scale as f32;
    out[9] = scale as f32;
    out
};

/// Coefficients of the product of (w - square) over all squares but number `skip`, lowest first.
const fn multiply_out(skip: usize) -> [f64; 5] {
    let mut product = [1.0, 0.0, 0.0, 0.0, 0.0];
    let mut factor = 0;
    while factor < 4 {
        if factor != skip {
            let mut i = 4;
            while i > 0 {
                product[i] = product[i - 1] - SQUARES[factor] * product[i];
                i -= 1;
            }
            product[0] *= -SQUARES[factor];
        }
        factor += 1;
    }
    product
}

/// The polynomial at `w`.
const fn evaluate(coefficients: [f64; 5], w: f64) -> f64 {
    let mut value = 0.0;
    let mut i = 5;
    while i > 0 {
        i -= 1;
        value = value * w + coefficients[i];
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_those_worked_out_by_hand() {
        // F(w) = (w^2 - 1)(w^2 - 4.25 w + 1) = w^4 - 4.25 w^3 + 4.25 w - 1.
        assert_eq!(ALL_SQUARES, [-1.0, 4.25, 0.0, -4.25, 1.0]);
        assert_eq!(WITHOUT_SQUARE[0], [1.0, -3.25, -3.25, 1.0]);
        assert_eq!(WITHOUT_SQUARE[1], [0.25, -1.0, -0.25, 1.0]);
        assert_eq!(WITHOUT_SQUARE[2], [4.0, -1.0, -4.0, 1.0]);
        assert_eq!(WITHOUT_SQUARE[3], [-1.0, 5.25, -5.25, 1.0]);
        let scales = [
            -1.0,
            -1.0 / 9.0,
            -1.0 / 9.0,
            1.0 / 450.0,
            1.0 / 450.0,
            1.0 / 1.757_812_5,
            1.0 / 1.757_812_5,
            0.08,
            0.08,
            0.08,
            1.0,
        ];
        assert_eq!(SCALES, scales);
    }
}
