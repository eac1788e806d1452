//! The one-dimensional transforms between image and product domain, on vectors of channels.
//!
//! With `P` the number of products (11 with the point at infinity, 10 without):
//!
//! | transform | computes | used for |
//! |---|---|---|
//! | [`Evaluate`] | a polynomial's values at the points | kernel taps |
//! | [`EvaluateTransposed`] | its transpose | kernel gradients |
//! | [`EvaluateTile`] | the same, times the products' weights | output gradients |
//! | [`EvaluateTileTransposed`] | its transpose | outputs |
//! | [`Project`] | inner products with M(z)/(z - point) | input windows |
//! | [`ProjectTransposed`] | its transpose | input gradients |
//!
//! An output tile is `EvaluateTileTransposed(Evaluate(kernel) * Project(window))`, by Toom-Cook for polynomial products
//! and the transposition principle; both backward passes follow by transposing factors. `docs/kernels.md` has the
//! derivation.
//!
//! The transforms are types, not function values: calls through values are not always inlined, and code that isn't
//! can't use the instruction set of its caller.

use super::points::{ALL_SQUARES, PAIR_POWERS, PAIRS, POINTS, SCALES, WITHOUT_SQUARE};
use super::transform::TILE;
use crate::simd::Vector;

/// A linear map from `I` to `O` vectors. Implementations are `#[inline(always)]`.
pub(crate) trait Linear<V: Vector, const I: usize, const O: usize> {
    /// The image of `x`.
    fn apply(x: [V; I]) -> [V; O];
}

/// Values of `x[0] + x[1] z + ...` at the points.
pub(crate) struct Evaluate;

impl<V: Vector, const N: usize, const P: usize> Linear<V, N, P> for Evaluate {
    #[inline(always)]
    fn apply(x: [V; N]) -> [V; P] {
        let mut out = [x[0]; P];
        for (pair, a) in PAIRS.into_iter().enumerate() {
            let (even, odd) = (even_terms(&x, a * a), odd_terms(&x, a * a));
            out[1 + 2 * pair] = even.plus(a, odd);
            out[2 + 2 * pair] = even.plus(-a, odd);
        }
        let (re, im) = (even_terms(&x, -1.0), odd_terms(&x, -1.0));
        out[7] = re;
        out[8] = im;
        out[9] = re + im;
        if P == POINTS {
            out[P - 1] = x[N - 1];
        }
        out
    }
}

/// `x[0] + x[2] w + x[4] w^2`, as far as there are coefficients.
#[inline(always)]
fn even_terms<V: Vector, const N: usize>(x: &[V; N], w: f32) -> V {
    if N > 4 {
        x[0].plus(w, x[2]).plus(w * w, x[4])
    } else {
        x[0].plus(w, x[2])
    }
}

/// `x[1] + x[3] w + x[5] w^2`, as far as there are coefficients.
#[inline(always)]
fn odd_terms<V: Vector, const N: usize>(x: &[V; N], w: f32) -> V {
    if N > 5 {
        x[1].plus(w, x[3]).plus(w * w, x[5])
    } else {
        x[1].plus(w, x[3])
    }
}

/// Transpose of [`Evaluate`].
pub(crate) struct EvaluateTransposed;

impl<V: Vector, const N: usize, const P: usize> Linear<V, P, N> for EvaluateTransposed {
    #[inline(always)]
    fn apply(m: [V; P]) -> [V; N] {
        let (re, im) = (m[7] + m[9], m[8] + m[9]);
        let mut out = [re; N];
        for k in 0..N {
            // i^k is 1, i, -1, -i in turn: the parts of the triple that `Evaluate` reads.
            let mut sum = [re, im, -re, -im][k % 4];
            for (pair, powers) in PAIR_POWERS.iter().enumerate() {
                let (plus, minus) = (m[1 + 2 * pair], m[2 + 2 * pair]);
                sum = sum.plus(powers[k], if k % 2 == 0 { plus + minus } else { plus - minus });
            }
            out[k] = sum;
        }
        out[0] = out[0] + m[0];
        if P == POINTS {
            out[N - 1] = out[N - 1] + m[P - 1];
        }
        out
    }
}

/// Inner products of the window with the coefficients of M(z)/(z - point), and with M(z) for the point at infinity.
pub(crate) struct Project;

impl<V: Vector, const L: usize, const P: usize> Linear<V, L, P> for Project {
    #[inline(always)]
    fn apply(x: [V; L]) -> [V; P] {
        let mut out = [inner(ALL_SQUARES, [x[0], x[2], x[4], x[6], x[8]]); P];
        for (pair, a) in PAIRS.into_iter().enumerate() {
            let (even, odd) = project_square(&x, pair);
            out[1 + 2 * pair] = even.plus(a, odd);
            out[2 + 2 * pair] = even.plus(-a, odd);
        }
        // The complex product (g_re + i g_im)(even + i odd) enters by its real part; these are the factors of
        // Karatsuba's three products with g_re, g_im and g_re + g_im.
        let (even, odd) = project_square(&x, 3);
        out[7] = even + odd;
        out[8] = odd - even;
        out[9] = -odd;
        if P == POINTS {
            out[P - 1] = inner(ALL_SQUARES, [x[1], x[3], x[5], x[7], x[L - 1]]);
        }
        out
    }
}

/// Inner products of F(w)/(w - square) with the even window elements from 2 on and the odd ones from 1 on.
#[inline(always)]
fn project_square<V: Vector, const L: usize>(x: &[V; L], square: usize) -> (V, V) {
    let q = WITHOUT_SQUARE[square];
    (inner(q, [x[2], x[4], x[6], x[8]]), inner(q, [x[1], x[3], x[5], x[7]]))
}

/// Inner product with a polynomial whose leading coefficient is one.
#[inline(always)]
fn inner<V: Vector, const N: usize>(q: [f32; N], x: [V; N]) -> V {
    let mut sum = x[N - 1];
    for k in 0..N - 1 {
        sum = plus_known(sum, q[k], x[k]);
    }
    sum
}

/// `sum + q x` for a `q` that is known when compiling: nothing at all if zero.
#[inline(always)]
fn plus_known<V: Vector>(sum: V, q: f32, x: V) -> V {
    if q == 0.0 { sum } else { sum.plus(q, x) }
}

/// Transpose of [`Project`].
pub(crate) struct ProjectTransposed;

impl<V: Vector, const L: usize, const P: usize> Linear<V, P, L> for ProjectTransposed {
    #[inline(always)]
    fn apply(m: [V; P]) -> [V; L] {
        let mut even = [m[7] - m[8]; 4];
        let mut odd = [m[7] + m[8] - m[9]; 4];
        for (pair, a) in PAIRS.into_iter().enumerate() {
            even[pair] = m[1 + 2 * pair] + m[2 + 2 * pair];
            odd[pair] = (m[1 + 2 * pair] - m[2 + 2 * pair]) * a;
        }
        let mut out = [m[0] * ALL_SQUARES[0]; L];
        for k in 0..4 {
            out[2 * k + 1] = across_squares(odd, k);
            out[2 * k + 2] = plus_known(across_squares(even, k), ALL_SQUARES[k + 1], m[0]);
        }
        if P == POINTS {
            out[L - 1] = m[P - 1];
            for k in 0..4 {
                out[2 * k + 1] = plus_known(out[2 * k + 1], ALL_SQUARES[k], m[P - 1]);
            }
        }
        out
    }
}

/// Transpose of the inner products with F(w)/(w - square), for coefficient `k`.
#[inline(always)]
fn across_squares<V: Vector>(values: [V; 4], k: usize) -> V {
    let mut sum = values[0] * WITHOUT_SQUARE[0][k];
    for square in 1..4 {
        sum = sum.plus(WITHOUT_SQUARE[square][k], values[square]);
    }
    sum
}

/// [`Evaluate`] for an output tile, with the weights of the products.
pub(crate) struct EvaluateTile;

impl<V: Vector> Linear<V, TILE, POINTS> for EvaluateTile {
    #[inline(always)]
    fn apply(x: [V; TILE]) -> [V; POINTS] {
        weigh(<Evaluate as Linear<V, TILE, POINTS>>::apply(x))
    }
}

/// Transpose of [`EvaluateTile`].
pub(crate) struct EvaluateTileTransposed;

impl<V: Vector> Linear<V, POINTS, TILE> for EvaluateTileTransposed {
    #[inline(always)]
    fn apply(m: [V; POINTS]) -> [V; TILE] {
        EvaluateTransposed::apply(weigh(m))
    }
}

/// Multiplies by the weights of the products.
#[inline(always)]
fn weigh<V: Vector>(mut m: [V; POINTS]) -> [V; POINTS] {
    for (value, scale) in m.iter_mut().zip(SCALES) {
        *value = *value * scale;
    }
    m
}
