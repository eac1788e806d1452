//! The convolution against its definition in f64, its adjoint identities, and its independence of the number of
//! threads.

mod reference;
mod support;

use capsnet_kernels::{Algorithm, Conv2d, ConvShape, KernelError, Pass};
use proptest::prelude::*;
use support::{noise, rms_relative_to, roots, squares, widened};

/// Largest error of a pass against f64, as root mean square relative to what the sums are if their terms have random
/// signs: the size of the result, but for one that is small by a ReLU or by chance.
const TOLERANCE: f64 = 3e-6;

/// What the three passes of a convolution computed.
#[derive(PartialEq)]
struct Passes {
    y: Vec<f32>,
    dx: Vec<f32>,
    dw: Vec<f32>,
    db: Vec<f32>,
}

/// Inputs as in the network: rectified activations, small weights.
struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

impl Operands {
    fn new(shape: &ConvShape) -> Self {
        Self {
            x: noise(1, shape.input_len()).into_iter().map(|x| x.max(0.0)).collect(),
            w: noise(2, shape.weight_len()).into_iter().map(|w| 0.05 * w).collect(),
            bias: noise(3, shape.out_channels),
            dy: noise(4, shape.output_len()),
        }
    }
}

fn run(shape: ConvShape, algorithm: Algorithm, operands: &Operands, relu: bool) -> Result<Passes, KernelError> {
    let Operands { x, w, bias, dy } = operands;
    let conv = Conv2d::new(shape, algorithm)?;
    // NaN shows what isn't overwritten.
    let nan = |len| vec![f32::NAN; len];
    let mut passes = Passes {
        y: nan(shape.output_len()),
        dx: nan(shape.input_len()),
        dw: nan(shape.weight_len()),
        db: nan(shape.out_channels),
    };
    conv.forward(x, w, Some(bias), relu, &mut passes.y)?;
    let rectified = relu.then(|| passes.y.clone());
    conv.backward_data(w, rectified.as_deref(), dy, &mut passes.dx)?;
    conv.backward_weight(x, rectified.as_deref(), dy, &mut passes.dw, Some(&mut passes.db))?;
    Ok(passes)
}

fn assert_matches_definition(shape: ConvShape, algorithm: Algorithm, relu: bool) {
    let operands = Operands::new(&shape);
    let got = run(shape, algorithm, &operands, relu).expect("a valid shape");
    let Operands { x, w, bias, dy } = &operands;
    // Rounding may decide the sign of outputs near zero, so the mask is that of the outputs under test.
    let masked = |(dy, y): (&f32, &f32)| if relu && *y <= 0.0 { 0.0 } else { *dy };
    let dy: &Vec<f32> = &dy.iter().zip(&got.y).map(masked).collect();
    let (x2, w2, bias2, dy2) = (squares(x), squares(w), squares(bias), squares(dy));
    let checks = [
        (
            "y",
            &got.y,
            reference::forward(&shape, x, w, bias, relu),
            reference::forward(&shape, &x2, &w2, &bias2, false),
        ),
        (
            "dx",
            &got.dx,
            reference::backward_data(&shape, w, dy),
            reference::backward_data(&shape, &w2, &dy2),
        ),
        (
            "dw",
            &got.dw,
            reference::backward_weight(&shape, x, dy),
            reference::backward_weight(&shape, &x2, &dy2),
        ),
        (
            "db",
            &got.db,
            reference::backward_bias(&shape, dy),
            reference::backward_bias(&shape, &dy2),
        ),
    ];
    for (name, got, expected, squared_scale) in checks {
        let error = rms_relative_to(&roots(squared_scale), widened(got), &expected);
        assert!(
            error <= TOLERANCE,
            "{name} of {shape:?} by {algorithm:?}: error {error:.2e}"
        );
    }
}

/// Any small shape for the direct algorithm.
fn any_shape() -> impl Strategy<Value = ConvShape> {
    let channels = (1..4usize, 1..20usize, 1..70usize);
    let kernel = (1..6usize, 1..6usize, 1..4usize, 1..4usize, 0..4usize, 0..4usize);
    (channels, kernel, 0..7usize, 0..7usize).prop_map(|((batch, ic, oc), (kh, kw, sh, sw, ph, pw), dh, dw)| ConvShape {
        batch,
        in_channels: ic,
        out_channels: oc,
        height: kh + dh,
        width: kw + dw,
        kernel_h: kh,
        kernel_w: kw,
        stride_h: sh,
        stride_w: sw,
        pad_h: ph,
        pad_w: pw,
    })
}

/// Shapes from few channels, with more images than groups of partial sums, partial tiles of channels and of pixels,
/// several slabs.
#[test]
fn few_input_channels_match_the_definition() {
    let shapes = [
        ConvShape::square(1, [1, 256], [28, 28], 9, 1),
        ConvShape::square(7, [1, 70], [28, 28], 9, 1),
        ConvShape::square(33, [2, 17], [12, 13], 5, 1),
        ConvShape::square(70, [1, 3], [7, 6], 3, 2),
    ];
    for shape in shapes {
        for relu in [false, true] {
            assert_matches_definition(shape, Algorithm::Direct, relu);
        }
    }
}

/// Both algorithms and all passes of sizes that an interpreter gets through: for Miri.
#[test]
fn tiny_convolutions_match_the_definition() {
    assert_matches_definition(ConvShape::square(2, [1, 2], [4, 3], 2, 1), Algorithm::Direct, true);
    assert_matches_definition(ConvShape::square(1, [1, 2], [9, 10], 9, 2), Algorithm::ToomCook, true);
    assert_matches_definition(ConvShape::square(1, [2, 1], [6, 5], 3, 1), Algorithm::Winograd, true);
}

/// Sums too long for the path of few input channels: matrix products, with several slabs, and gradients masked
/// beforehand.
#[test]
fn many_input_channels_match_the_definition() {
    for batch in [1, 3] {
        let shape = ConvShape::square(batch, [35, 70], [11, 12], 9, 2);
        for relu in [false, true] {
            assert_matches_definition(shape, Algorithm::Direct, relu);
        }
    }
}

/// Small shapes that the Toom-Cook algorithm is made for, with partial channel blocks, partial tiles and padding. Half
/// of them have the kernel that fits, half any smaller one.
fn toom_cook_shape() -> impl Strategy<Value = ConvShape> {
    let channels = (1..4usize, 1..35usize, 1..35usize);
    let image = (9..26usize, 9..26usize, 0..11usize, 0..4usize);
    let kernel = prop_oneof![Just((9, 9)), (1..10usize, 1..10usize)];
    (channels, image, kernel).prop_map(
        |((batch, ic, oc), (height, width, pad_h, pad_w), (kernel_h, kernel_w))| ConvShape {
            kernel_h,
            kernel_w,
            pad_h,
            pad_w,
            ..ConvShape::square(batch, [ic, oc], [height, width], 9, 2)
        },
    )
}

/// Small shapes of 3x3 kernels, with partial channel blocks, partial tiles and padding.
fn winograd_shape() -> impl Strategy<Value = ConvShape> {
    let channels = (1..8usize, 1..35usize, 1..35usize);
    let image = (3..15usize, 3..15usize, 0..4usize, 0..4usize);
    (channels, image).prop_map(|((batch, ic, oc), (height, width, pad_h, pad_w))| ConvShape {
        pad_h,
        pad_w,
        ..ConvShape::square(batch, [ic, oc], [height, width], 3, 1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn winograd_matches_the_definition(shape in winograd_shape(), relu: bool) {
        assert_matches_definition(shape, Algorithm::Winograd, relu);
    }

    #[test]
    fn direct_matches_the_definition(shape in any_shape(), relu: bool) {
        assert_matches_definition(shape, Algorithm::Direct, relu);
    }

    #[test]
    fn toom_cook_matches_the_definition(shape in toom_cook_shape(), relu: bool) {
        assert_matches_definition(shape, Algorithm::ToomCook, relu);
    }

    /// <conv(x, w), dy> = <x, conv^T(dy, w)> = <w, dw(x, dy)>.
    #[test]
    fn passes_are_adjoint(shape in toom_cook_shape(), toom_cook: bool) {
        let algorithm = if toom_cook { Algorithm::ToomCook } else { Algorithm::Direct };
        let operands = Operands { bias: vec![0.0; shape.out_channels], ..Operands::new(&shape) };
        let got = run(shape, algorithm, &operands, false)?;
        let (output, input) = (dot(&got.y, &operands.dy), dot(&operands.x, &got.dx));
        let weight = dot(&operands.w, &got.dw);
        let scale = norm(&got.y) * norm(&operands.dy);
        prop_assert!((output - input).abs() <= TOLERANCE * scale, "{output} {input}");
        prop_assert!((output - weight).abs() <= TOLERANCE * scale, "{output} {weight}");
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// More items than fit one chunk, blocks that don't divide them, several groups of output channels, several rounds.
#[test]
fn long_batches_match_the_definition() {
    assert_matches_definition(
        ConvShape::square(165, [18, 70], [11, 9], 9, 2),
        Algorithm::ToomCook,
        true,
    );
}

/// Several chunks of images, the last of which is short, and groups that don't divide the batch.
#[test]
fn long_batches_of_3x3_kernels_match_the_definition() {
    assert_matches_definition(
        ConvShape::square(35, [18, 33], [8, 11], 3, 1),
        Algorithm::Winograd,
        true,
    );
    assert_matches_definition(
        ConvShape::square(18, [64, 64], [22, 22], 3, 1),
        Algorithm::Winograd,
        false,
    );
}

/// The convolution of the network: the full depth of its sums.
#[test]
fn the_networks_convolution_is_accurate() {
    let shape = ConvShape::square(1, [256, 256], [20, 20], 9, 2);
    assert_matches_definition(shape, Algorithm::ToomCook, false);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let shapes = [
        (ConvShape::square(50, [35, 80], [21, 19], 9, 2), Algorithm::ToomCook),
        (ConvShape::square(19, [35, 80], [21, 19], 3, 1), Algorithm::Winograd),
        (ConvShape::square(3, [35, 80], [21, 19], 9, 2), Algorithm::Direct),
        (ConvShape::square(1, [35, 80], [21, 19], 9, 2), Algorithm::Direct),
        (ConvShape::square(1, [1, 80], [21, 19], 9, 1), Algorithm::Direct),
        (ConvShape::square(70, [1, 80], [21, 19], 9, 1), Algorithm::Direct),
    ];
    for (shape, algorithm) in shapes {
        let operands = Operands::new(&shape);
        let with_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a thread pool");
            pool.install(|| run(shape, algorithm, &operands, true))
                .expect("a valid shape")
        };
        let one = with_threads(1);
        for threads in [2, 3] {
            assert!(
                with_threads(threads) == one,
                "{shape:?} by {algorithm:?} with {threads} threads"
            );
        }
    }
}

#[test]
fn the_planner_uses_toom_cook_where_it_is_made_for() {
    let chosen = |shape, pass| {
        let conv = Conv2d::new(shape, Algorithm::Auto).expect("a valid shape");
        conv.algorithm(pass)
    };
    for pass in [Pass::Forward, Pass::BackwardData, Pass::BackwardWeight] {
        for batch in [2, 8, 128] {
            let network = ConvShape::square(batch, [256, 256], [20, 20], 9, 2);
            assert_eq!(chosen(network, pass), Algorithm::ToomCook);
        }
        for kernel in [7, 5] {
            let smaller = ConvShape::square(32, [256, 256], [29 - kernel; 2], kernel, 2);
            assert_eq!(chosen(smaller, pass), Algorithm::ToomCook);
        }
        // One channel in a block of sixteen, another stride, one output in a tile of thirty-six, too few taps.
        for (in_channels, size, kernel, stride) in [(1, 20, 9, 2), (256, 20, 9, 1), (256, 9, 9, 2), (256, 26, 3, 2)] {
            let shape = ConvShape::square(128, [in_channels, 256], [size, size], kernel, stride);
            assert_eq!(chosen(shape, pass), Algorithm::Direct);
        }
    }
    // Those of Efficient-CapsNet.
    for [inputs, outputs, side] in [[32, 64, 24], [64, 64, 22]] {
        let shape = |batch, stride| ConvShape::square(batch, [inputs, outputs], [side; 2], 3, stride);
        assert_eq!(chosen(shape(16, 1), Pass::BackwardData), Algorithm::Winograd);
        assert_eq!(chosen(shape(1, 1), Pass::Forward), Algorithm::Direct);
        assert_eq!(chosen(shape(16, 2), Pass::Forward), Algorithm::Direct);
    }
    // One image doesn't repay the transforms of the kernels, unless they are written anyway.
    let single = ConvShape::square(1, [256, 256], [20, 20], 9, 2);
    assert_eq!(chosen(single, Pass::Forward), Algorithm::Direct);
    assert_eq!(chosen(single, Pass::BackwardWeight), Algorithm::ToomCook);
}

#[test]
fn bad_calls_are_errors() {
    let good = ConvShape::square(2, [3, 4], [9, 10], 3, 1);
    let error = |shape| Conv2d::new(shape, Algorithm::Auto).expect_err("a bad shape");
    assert_eq!(
        error(ConvShape { in_channels: 0, ..good }),
        KernelError::ZeroDimension { field: "in_channels" }
    );
    assert_eq!(
        error(ConvShape { stride_w: 0, ..good }),
        KernelError::ZeroDimension { field: "stride_w" }
    );
    assert_eq!(
        error(ConvShape {
            kernel_h: 12,
            pad_h: 1,
            ..good
        }),
        KernelError::KernelTooLarge {
            axis: "height",
            kernel: 12,
            image: 9,
            padding: 1
        }
    );
    assert!(matches!(
        error(ConvShape {
            pad_h: usize::MAX,
            ..good
        }),
        KernelError::TooManyElements { .. }
    ));
    assert!(matches!(
        error(ConvShape {
            batch: usize::MAX / 2,
            ..good
        }),
        KernelError::TooManyElements { .. }
    ));
    assert!(matches!(
        Conv2d::new(good, Algorithm::ToomCook).expect_err("stride 1"),
        KernelError::ToomCookUnsupported { stride_h: 1, .. }
    ));
    let other_stride = ConvShape { stride_w: 2, ..good };
    assert_eq!(
        Conv2d::new(other_stride, Algorithm::Winograd).expect_err("stride 2"),
        KernelError::WinogradUnsupported { shape: other_stride }
    );
    let conv = Conv2d::new(good, Algorithm::Auto).expect("a valid shape");
    let (x, w, mut y) = (
        vec![0.0; good.input_len()],
        vec![0.0; good.weight_len()],
        vec![0.0; good.output_len() - 1],
    );
    assert_eq!(
        conv.forward(&x, &w, None, false, &mut y),
        Err(KernelError::WrongLength {
            tensor: "y",
            expected: y.len() + 1,
            actual: y.len()
        })
    );
}
