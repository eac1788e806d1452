//! The convolution by weights that are transformed once: against its definition in f64, image by image, on any number
//! of threads.

mod reference;
mod support;

use capsnet_kernels::{ConvShape, FrozenConv2d, KernelError};
use proptest::prelude::*;
use support::{noise, rms_relative_to, roots, squares, widened};

/// Largest error against f64, as root mean square relative to what the sums are if their terms have random signs.
const TOLERANCE: f64 = 3e-6;

/// As in the network: rectified activations, small weights.
fn operands(shape: &ConvShape) -> [Vec<f32>; 3] {
    [
        noise(1, shape.input_len()).into_iter().map(|x| x.max(0.0)).collect(),
        noise(2, shape.weight_len()).into_iter().map(|w| 0.05 * w).collect(),
        noise(3, shape.out_channels),
    ]
}

fn forward(shape: ConvShape, relu: bool) -> Vec<f32> {
    let [x, w, bias] = operands(&shape);
    let conv = FrozenConv2d::new(shape, &w, Some(&bias), relu).expect("a valid shape");
    // NaN shows what isn't overwritten.
    let mut y = vec![f32::NAN; shape.output_len()];
    conv.forward(&x, &mut y).expect("lengths that follow from the shape");
    y
}

fn assert_matches_definition(shape: ConvShape, relu: bool) {
    let [x, w, bias] = operands(&shape);
    let expected = reference::forward(&shape, &x, &w, &bias, relu);
    let scale = reference::forward(&shape, &squares(&x), &squares(&w), &squares(&bias), false);
    let error = rms_relative_to(&roots(scale), widened(&forward(shape, relu)), &expected);
    assert!(error <= TOLERANCE, "{shape:?}: error {error:.2e}");
}

/// Partial channel blocks, partial tiles, padding, images with pixels that no output reads.
fn any_shape() -> impl Strategy<Value = ConvShape> {
    let channels = (1..4usize, 1..35usize, 1..35usize);
    let image = (9..26usize, 9..26usize, 0..11usize, 0..4usize);
    (channels, image).prop_map(|((batch, ic, oc), (height, width, pad_h, pad_w))| ConvShape {
        pad_h,
        pad_w,
        ..ConvShape::square(batch, [ic, oc], [height, width], 9, 2)
    })
}

/// Of a size that an interpreter gets through: for Miri.
#[test]
fn tiny_convolutions_match_the_definition() {
    assert_matches_definition(ConvShape::square(1, [1, 2], [9, 10], 9, 2), true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn it_matches_the_definition(shape in any_shape(), relu: bool) {
        assert_matches_definition(shape, relu);
    }
}

#[test]
fn the_networks_convolution_is_accurate() {
    assert_matches_definition(ConvShape::square(1, [256, 256], [20, 20], 9, 2), false);
}

/// The relative error of a number in bfloat16 is 2^-9 at most; the way back from the transformed products multiplies it
/// by some six.
#[test]
fn weights_in_bf16_come_within_two_hundredths() {
    for shape in [
        ConvShape::square(1, [256, 256], [20, 20], 9, 2),
        ConvShape::square(3, [20, 33], [17, 15], 9, 2),
        ConvShape::square(2, [5, 3], [12, 10], 9, 2),
    ] {
        let [x, w, bias] = operands(&shape);
        let conv = FrozenConv2d::in_bf16(shape, &w, Some(&bias), false).expect("a valid shape");
        let mut y = vec![f32::NAN; shape.output_len()];
        conv.forward(&x, &mut y).expect("lengths that follow from the shape");
        let expected = reference::forward(&shape, &x, &w, &bias, false);
        let scale = reference::forward(&shape, &squares(&x), &squares(&w), &squares(&bias), false);
        let error = rms_relative_to(&roots(scale), widened(&y), &expected);
        assert!((1e-4..2e-2).contains(&error), "{shape:?}: error {error:.2e}");
    }
}

/// Images are independent, in one round of images or several.
#[test]
fn a_batch_is_its_images() {
    let shape = ConvShape::square(11, [20, 33], [17, 15], 9, 2);
    let single = ConvShape { batch: 1, ..shape };
    let [x, w, bias] = operands(&shape);
    let conv = FrozenConv2d::new(single, &w, Some(&bias), true).expect("a valid shape");
    let mut one_by_one = vec![f32::NAN; shape.output_len()];
    for (x, y) in x
        .chunks(single.input_len())
        .zip(one_by_one.chunks_mut(single.output_len()))
    {
        conv.forward(x, y).expect("one image");
    }
    assert!(one_by_one == forward(shape, true));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for batch in [1, 3] {
        let shape = ConvShape::square(batch, [35, 280], [21, 19], 9, 2);
        let with_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a thread pool");
            pool.install(|| forward(shape, true))
        };
        let one = with_threads(1);
        for threads in [2, 3] {
            assert!(with_threads(threads) == one, "{shape:?} with {threads} threads");
        }
    }
}

#[test]
fn weights_are_copied_and_bad_calls_are_errors() {
    let shape = ConvShape::square(1, [2, 3], [12, 11], 9, 2);
    let [x, mut w, _] = operands(&shape);
    let conv = FrozenConv2d::new(shape, &w, None, false).expect("a valid shape");
    let (mut before, mut after) = (vec![0.0; shape.output_len()], vec![0.0; shape.output_len()]);
    conv.forward(&x, &mut before).expect("one image");
    w.fill(0.0);
    conv.forward(&x, &mut after).expect("one image");
    assert!(before == after && before.iter().any(|&y| y != 0.0));

    let [expected, actual] = [shape.input_len(), shape.input_len() - 1];
    let error = conv.forward(&x[1..], &mut before);
    assert!(
        matches!(error, Err(KernelError::WrongLength { tensor: "x", .. })),
        "{actual} of {expected} pixels: {error:?}"
    );
    let stride = ConvShape { stride_w: 1, ..shape };
    let error = FrozenConv2d::new(stride, &w, None, false).expect_err("another stride");
    assert!(matches!(error, KernelError::ToomCookUnsupported { stride_w: 1, .. }));
    let error = FrozenConv2d::new(shape, &w[1..], None, false).expect_err("a weight is missing");
    assert!(matches!(error, KernelError::WrongLength { tensor: "w", .. }));
}
