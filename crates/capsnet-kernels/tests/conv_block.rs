//! The convolution block against its definition in f64, finite differences of that, and its independence of the number
//! of threads.

mod reference;
mod support;

use capsnet_kernels::{ConvBlock, ConvBlockGradients, ConvShape, KernelError};
use proptest::prelude::*;
use support::{noise, rms_relative_to, roots, squares, widened};

/// Largest error against f64, as root mean square relative to what gradients are if their terms have random signs. The
/// output is exact up to its pooling, so that its error is relative to itself.
const TOLERANCE: f64 = 3e-6;

struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

/// Numbers in -1..1 in steps of 1/16, moved by `offset`.
fn coarse(seed: u64, len: usize, offset: f32) -> Vec<f32> {
    noise(seed, len)
        .into_iter()
        .map(|v| (16.0 * v).floor() / 16.0 + offset)
        .collect()
}

impl Operands {
    /// Such that the convolution is exact in f32 and keeps a distance of 1/512 from the ReLU's kink: its sign is beyond
    /// doubt.
    fn new(shape: &ConvShape) -> Self {
        Self {
            x: coarse(1, shape.input_len(), 0.0),
            w: coarse(2, shape.weight_len(), 0.0),
            bias: coarse(3, shape.out_channels, 1.0 / 512.0),
            dy: noise(4, pooled_len(shape)),
        }
    }
}

fn pooled_len(shape: &ConvShape) -> usize {
    shape.batch * shape.out_channels * (shape.out_h() / 2) * (shape.out_w() / 2)
}

/// Calls `visit(convolution output, pooled output)` for every pair in the definition of the pooling.
fn for_each_pooled(shape: &ConvShape, mut visit: impl FnMut(usize, usize)) {
    let (out_h, out_w) = (shape.out_h(), shape.out_w());
    let (pooled_h, pooled_w) = (out_h / 2, out_w / 2);
    for plane in 0..shape.batch * shape.out_channels {
        for i in 0..2 * pooled_h {
            for j in 0..2 * pooled_w {
                visit(
                    (plane * out_h + i) * out_w + j,
                    (plane * pooled_h + i / 2) * pooled_w + j / 2,
                );
            }
        }
    }
}

/// The block by its definition, in f64.
fn forward(shape: &ConvShape, operands: &Operands) -> Vec<f64> {
    let conv = reference::forward(shape, &operands.x, &operands.w, &operands.bias, true);
    let mut y = vec![0.0; pooled_len(shape)];
    for_each_pooled(shape, |from, to| y[to] += 0.25 * conv[from]);
    y
}

/// What the block computed: y, dx, dw, db.
#[derive(PartialEq)]
struct Results([Vec<f32>; 4]);

fn run(shape: ConvShape, operands: &Operands) -> Results {
    let Operands { x, w, bias, dy } = operands;
    let block = ConvBlock::new(shape).expect("a valid shape");
    // NaN shows what isn't overwritten.
    let nan = |len| vec![f32::NAN; len];
    let (mut y, mut dx) = (nan(block.output_len()), nan(x.len()));
    let (mut dw, mut db) = (nan(w.len()), nan(bias.len()));
    let mut mask = vec![0xff; block.mask_len()];
    block
        .forward(x, w, bias, &mut y, Some(&mut mask))
        .expect("the right lengths");
    let gradients = ConvBlockGradients {
        x: Some(&mut dx),
        w: &mut dw,
        bias: &mut db,
    };
    block.backward(x, w, &mask, dy, gradients).expect("the right lengths");

    let mut same = nan(y.len());
    block.forward(x, w, bias, &mut same, None).expect("the right lengths");
    assert!(same == y, "the mask must not change the output");
    let (mut same_dw, mut same_db) = (nan(w.len()), nan(bias.len()));
    let gradients = ConvBlockGradients {
        x: None,
        w: &mut same_dw,
        bias: &mut same_db,
    };
    block.backward(x, w, &mask, dy, gradients).expect("the right lengths");
    assert!(
        same_dw == dw && same_db == db,
        "the gradient of x must not change the others"
    );
    Results([y, dx, dw, db])
}

fn assert_matches_definition(shape: ConvShape) {
    let operands = Operands::new(&shape);
    let Results(got) = run(shape, &operands);
    let conv = reference::forward(&shape, &operands.x, &operands.w, &operands.bias, false);
    let mut dz = vec![0.0; shape.output_len()];
    for_each_pooled(&shape, |from, to| {
        if conv[from] > 0.0 {
            dz[from] = 0.25 * operands.dy[to];
        }
    });
    let expected = [
        forward(&shape, &operands),
        reference::backward_data(&shape, &operands.w, &dz),
        reference::backward_weight(&shape, &operands.x, &dz),
        reference::backward_bias(&shape, &dz),
    ];
    let (w2, dz2) = (squares(&operands.w), squares(&dz));
    let scales = [
        expected[0].clone(),
        roots(reference::backward_data(&shape, &w2, &dz2)),
        roots(reference::backward_weight(&shape, &squares(&operands.x), &dz2)),
        roots(reference::backward_bias(&shape, &dz2)),
    ];
    for (((name, got), expected), scale) in ["y", "dx", "dw", "db"].iter().zip(&got).zip(&expected).zip(&scales) {
        let error = rms_relative_to(scale, widened(got), expected);
        assert!(error <= TOLERANCE, "{name} of {shape:?}: error {error:.2e}");
    }
}

/// Kernels of all tile widths, channels below, at and above a register, odd outputs.
fn any_shape() -> impl Strategy<Value = ConvShape> {
    let sizes = (1..8usize, 1..8usize, 2..14usize, 2..20usize);
    (1..10usize, 1..9usize, 1..36usize, sizes).prop_map(|(batch, ic, oc, (kh, kw, oh, ow))| ConvShape {
        kernel_h: kh,
        kernel_w: kw,
        ..ConvShape::square(batch, [ic, oc], [kh + oh - 1, kw + ow - 1], 1, 1)
    })
}

/// Of a size that an interpreter gets through: for Miri.
#[test]
fn tiny_blocks_match_the_definition() {
    assert_matches_definition(ConvShape::square(2, [2, 3], [6, 5], 2, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_passes_match_the_definition(shape in any_shape()) {
        assert_matches_definition(shape);
    }
}

fn lenet5(batch: usize) -> [ConvShape; 2] {
    [
        ConvShape::square(batch, [1, 6], [28, 28], 5, 1),
        ConvShape::square(batch, [6, 16], [12, 12], 5, 1),
    ]
}

#[test]
fn the_blocks_of_lenet_5_match_the_definition() {
    for batch in [1, 7, 33, 129] {
        for shape in lenet5(batch) {
            assert_matches_definition(shape);
        }
    }
}

/// The block is linear between its kinks, which no step reaches, so the difference quotient is the derivative but for
/// rounding.
#[test]
fn gradients_are_the_slopes_of_the_definition() {
    let shape = ConvShape::square(2, [2, 3], [6, 7], 3, 1);
    let operands = Operands::new(&shape);
    let Results([_, dx, dw, db]) = run(shape, &operands);
    let loss = |operands: &Operands| -> f64 {
        let y = forward(&shape, operands);
        y.iter().zip(&operands.dy).map(|(y, &dy)| y * f64::from(dy)).sum()
    };
    let step = 2f32.powi(-12);
    type Member = fn(&mut Operands) -> &mut Vec<f32>;
    let members: [(&str, &[f32], Member); 3] = [
        ("x", &dx, |o| &mut o.x),
        ("w", &dw, |o| &mut o.w),
        ("bias", &db, |o| &mut o.bias),
    ];
    for (name, gradient, member) in members {
        for (i, &found) in gradient.iter().enumerate() {
            let at = |direction: f32| {
                let mut moved = Operands::new(&shape);
                let value = &mut member(&mut moved)[i];
                let before = *value;
                *value += direction * step;
                let moved_by = f64::from(*value) - f64::from(before);
                (loss(&moved), moved_by)
            };
            let ((up, plus), (down, minus)) = (at(1.0), at(-1.0));
            let slope = (up - down) / (plus - minus);
            assert!(
                (slope - f64::from(found)).abs() < 1e-5,
                "{name}[{i}]: {found}, but the slope is {slope}"
            );
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for batch in [3, 8, 70] {
        for shape in lenet5(batch) {
            let operands = Operands::new(&shape);
            let with_threads = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.expect("a thread pool").install(|| run(shape, &operands))
            };
            let one = with_threads(1);
            for threads in [2, 3] {
                assert!(with_threads(threads) == one, "{shape:?} with {threads} threads");
            }
        }
    }
}

#[test]
fn bad_calls_are_errors() {
    let good = ConvShape::square(2, [3, 4], [9, 10], 3, 1);
    let unsupported = [
        ConvShape { stride_w: 2, ..good },
        ConvShape { pad_h: 1, ..good },
        ConvShape { height: 3, ..good },
    ];
    for shape in unsupported {
        let error = ConvBlock::new(shape).expect_err("a bad shape");
        assert_eq!(error, KernelError::ConvBlockUnsupported { shape });
    }
    let error = ConvBlock::new(ConvShape { batch: 0, ..good }).expect_err("a bad shape");
    assert_eq!(error, KernelError::ZeroDimension { field: "batch" });

    let block = ConvBlock::new(good).expect("a valid shape");
    let Operands { x, w, bias, dy } = Operands::new(&good);
    let (mut y, mut mask) = (dy.clone(), vec![0; block.mask_len() - 1]);
    assert_eq!(
        block.forward(&x, &w, &bias, &mut y, Some(&mut mask)),
        Err(KernelError::WrongLength {
            tensor: "mask",
            expected: mask.len() + 1,
            actual: mask.len()
        })
    );
    let (mut dw, mut db) = (w.clone(), bias.clone());
    let gradients = ConvBlockGradients {
        x: None,
        w: &mut dw,
        bias: &mut db,
    };
    assert_eq!(
        block.backward(&x[1..], &w, &mask, &dy, gradients),
        Err(KernelError::WrongLength {
            tensor: "x",
            expected: x.len(),
            actual: x.len() - 1
        })
    );
}
