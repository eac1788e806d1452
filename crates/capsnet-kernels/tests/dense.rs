//! The fully connected layer against its definition in f64, finite differences, and its independence of the number of
//! threads.

mod support;

use capsnet_kernels::{Activation, Dense, DenseGradients, KernelError};
use proptest::prelude::*;
use support::{noise, relative_rms, rms_relative_to, widened};

/// Largest error against f64, as root mean square relative to that of the result.
const TOLERANCE: f64 = 1e-6;

const ACTIVATIONS: [Activation; 3] = [Activation::Identity, Activation::Relu, Activation::Sigmoid];

/// The operands of a layer and the gradient of its output.
struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

/// What a layer computed.
#[derive(PartialEq)]
struct Passes {
    y: Vec<f32>,
    dx: Vec<f32>,
    dw: Vec<f32>,
    db: Vec<f32>,
}

impl Operands {
    fn new([batch, inputs, outputs]: [usize; 3]) -> Self {
        let scale = 2.0 / (inputs as f32).sqrt();
        Self {
            x: noise(1, batch * inputs),
            w: noise(2, inputs * outputs).into_iter().map(|w| scale * w).collect(),
            bias: noise(3, outputs),
            dy: noise(4, batch * outputs),
        }
    }
}

fn run([batch, inputs, outputs]: [usize; 3], activation: Activation, operands: &Operands) -> Passes {
    let layer = Dense::new(batch, inputs, outputs, activation).expect("a valid shape");
    // NaN shows what isn't overwritten.
    let nan = |len| vec![f32::NAN; len];
    let mut passes = Passes {
        y: nan(batch * outputs),
        dx: nan(batch * inputs),
        dw: nan(inputs * outputs),
        db: nan(outputs),
    };
    let Operands { x, w, bias, dy } = operands;
    layer.forward(x, w, Some(bias), &mut passes.y).expect("fitting lengths");
    let gradients = DenseGradients {
        dx: Some(&mut passes.dx),
        dw: Some(&mut passes.dw),
        db: Some(&mut passes.db),
    };
    layer.backward(x, w, &passes.y, dy, gradients).expect("fitting lengths");
    passes
}

/// `activation(x w + bias)` by definition.
fn forward(
    [batch, inputs, outputs]: [usize; 3],
    activation: Activation,
    x: &[f64],
    w: &[f64],
    bias: &[f64],
) -> Vec<f64> {
    let mut y = Vec::with_capacity(batch * outputs);
    for n in 0..batch {
        for o in 0..outputs {
            let sum: f64 = (0..inputs).map(|i| x[n * inputs + i] * w[i * outputs + o]).sum();
            let z = sum + bias[o];
            y.push(match activation {
                Activation::Identity => z,
                Activation::Relu => z.max(0.0),
                Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
            });
        }
    }
    y
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Gradients with each term's magnitude in its place: what rounding errors are relative to. Where the terms of a sum
/// nearly cancel, its own size says nothing.
fn magnitudes(shape: [usize; 3], activation: Activation, operands: &Operands, y: &[f32]) -> [Vec<f64>; 4] {
    let absolute = |values: &[f32]| values.iter().map(|v| v.abs()).collect::<Vec<f32>>();
    let [expected, ..] = definition(shape, activation, operands, y);
    let (x, w) = (wide(&absolute(&operands.x)), wide(&absolute(&operands.w)));
    let bias = wide(&absolute(&operands.bias));
    let sums = match activation {
        Activation::Sigmoid => expected.clone(),
        Activation::Identity | Activation::Relu => forward(shape, Activation::Identity, &x, &w, &bias),
    };
    let slopes = slopes(activation, y, &expected);
    let dz: Vec<f64> = operands
        .dy
        .iter()
        .zip(slopes)
        .map(|(&dy, slope)| f64::from(dy).abs() * slope)
        .collect();
    let [dx, dw, db] = gradients(shape, &dz, &x, &w);
    [sums, dx, dw, db]
}

/// The activation's derivative at each output.
fn slopes(activation: Activation, y: &[f32], expected: &[f64]) -> Vec<f64> {
    let slope = |(&y, &expected): (&f32, &f64)| match activation {
        Activation::Identity => 1.0,
        Activation::Relu => f64::from(u8::from(y > 0.0)),
        Activation::Sigmoid => expected * (1.0 - expected),
    };
    y.iter().zip(expected).map(slope).collect()
}

/// Of inputs, weights and bias, from those of the sums.
fn gradients([batch, inputs, outputs]: [usize; 3], dz: &[f64], x: &[f64], w: &[f64]) -> [Vec<f64>; 3] {
    let mut dx = vec![0.0; batch * inputs];
    let mut dw = vec![0.0; inputs * outputs];
    let mut db = vec![0.0; outputs];
    for n in 0..batch {
        for o in 0..outputs {
            let dz = dz[n * outputs + o];
            db[o] += dz;
            for i in 0..inputs {
                dx[n * inputs + i] += dz * w[i * outputs + o];
                dw[i * outputs + o] += dz * x[n * inputs + i];
            }
        }
    }
    [dx, dw, db]
}

/// Outputs and gradients by definition. The derivative of the ReLU is taken from the outputs of the layer under test:
/// at zero, rounding may decide.
fn definition(shape: [usize; 3], activation: Activation, operands: &Operands, y: &[f32]) -> [Vec<f64>; 4] {
    let (x, w) = (wide(&operands.x), wide(&operands.w));
    let expected = forward(shape, activation, &x, &w, &wide(&operands.bias));
    let slopes = slopes(activation, y, &expected);
    let dz: Vec<f64> = operands
        .dy
        .iter()
        .zip(slopes)
        .map(|(&dy, slope)| f64::from(dy) * slope)
        .collect();
    let [dx, dw, db] = gradients(shape, &dz, &x, &w);
    [expected, dx, dw, db]
}

fn assert_matches_definition(shape: [usize; 3], activation: Activation) {
    let operands = Operands::new(shape);
    let got = run(shape, activation, &operands);
    let expected = definition(shape, activation, &operands, &got.y);
    let scales = magnitudes(shape, activation, &operands, &got.y);
    for (((name, got), expected), scale) in [("y", &got.y), ("dx", &got.dx), ("dw", &got.dw), ("db", &got.db)]
        .into_iter()
        .zip(&expected)
        .zip(&scales)
    {
        let error = rms_relative_to(scale, widened(got), expected);
        assert!(
            error <= TOLERANCE,
            "{name} of {shape:?} with {activation:?}: error {error:.2e}"
        );
    }
}

/// One sample, few and many; one tile, part of one and several; on the calling thread and in the pool.
/// Of a size that an interpreter gets through: for Miri.
#[test]
fn tiny_layers_match_the_definition() {
    for activation in ACTIVATIONS {
        assert_matches_definition([2, 3, 2], activation);
    }
}

#[test]
fn layers_match_the_definition() {
    let shapes = [
        [1, 1, 1],
        [1, 160, 512],
        [1, 1024, 784],
        // One sample's rows and columns in parts of blocks.
        [1, 701, 110],
        [7, 33, 129],
        [8, 256, 120],
        [33, 130, 300],
        [130, 129, 257],
        [300, 84, 10],
    ];
    for shape in shapes {
        for activation in ACTIVATIONS {
            assert_matches_definition(shape, activation);
        }
    }
}

/// One sample's zeros are passed over: all, none, and any number in a group of rows.
#[test]
fn one_sample_with_zeros_matches_the_definition() {
    let shape = [1, 330, 260];
    for kept in [0, 1, 2, 3, 5, 7, 330] {
        let mut operands = Operands::new(shape);
        // The fifth block of rows has no zero, unless all are.
        let zero = |i: usize| kept == 0 || (i >= kept && i / 64 != 4);
        for (i, x) in operands.x.iter_mut().enumerate() {
            if zero(i) {
                *x = 0.0;
            }
        }
        let got = run(shape, Activation::Identity, &operands);
        let [expected, ..] = definition(shape, Activation::Identity, &operands, &got.y);
        let error = relative_rms(widened(&got.y), &expected);
        assert!(error <= TOLERANCE, "{kept} rows: error {error:.2e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_small_layer_matches_the_definition(
        shape in (1..40usize, 1..150usize, 1..150usize),
        activation in prop::sample::select(ACTIVATIONS.to_vec()),
    ) {
        assert_matches_definition([shape.0, shape.1, shape.2], activation);
    }
}

/// The hand-written adjoint against central differences of the definition.
#[test]
fn gradients_are_those_of_the_definition() {
    let shape = [3, 5, 4];
    for activation in ACTIVATIONS {
        let operands = Operands::new(shape);
        let got = run(shape, activation, &operands);
        let dy = wide(&operands.dy);
        let loss = |parts: &[Vec<f64>; 3]| -> f64 {
            let y = forward(shape, activation, &parts[0], &parts[1], &parts[2]);
            y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        let parts = [wide(&operands.x), wide(&operands.w), wide(&operands.bias)];
        for (part, gradient) in [&got.dx, &got.dw, &got.db].into_iter().enumerate() {
            for (i, &gradient) in gradient.iter().enumerate() {
                let shifted = |step: f64| {
                    let mut parts = parts.clone();
                    parts[part][i] += step;
                    loss(&parts)
                };
                let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                assert!(
                    (difference - f64::from(gradient)).abs() < 1e-5,
                    "{activation:?}, operand {part}, element {i}: {difference} {gradient}"
                );
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for shape in [[1, 1024, 784], [8, 512, 300], [130, 160, 300], [300, 200, 84]] {
        let operands = Operands::new(shape);
        let with_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a thread pool")
                .install(|| run(shape, Activation::Sigmoid, &operands))
        };
        let one = with_threads(1);
        for threads in [2, 3] {
            assert!(with_threads(threads) == one, "{shape:?} with {threads} threads");
        }
    }
}

#[test]
fn only_the_gradients_asked_for_are_needed() {
    let shape = [9, 200, 150];
    let operands = Operands::new(shape);
    let all = run(shape, Activation::Relu, &operands);
    let layer = Dense::new(shape[0], shape[1], shape[2], Activation::Relu).expect("a valid shape");
    let mut dw = vec![f32::NAN; all.dw.len()];
    let gradients = DenseGradients {
        dw: Some(&mut dw),
        ..DenseGradients::default()
    };
    let Operands { x, w, dy, .. } = &operands;
    layer.backward(x, w, &all.y, dy, gradients).expect("fitting lengths");
    assert!(dw == all.dw);
}

#[test]
fn bad_calls_are_errors() {
    assert_eq!(
        Dense::new(1, 0, 1, Activation::Identity).expect_err("no inputs"),
        KernelError::ZeroDimension { field: "inputs" }
    );
    assert_eq!(
        Dense::new(usize::MAX / 8, 16, 1, Activation::Identity).expect_err("too large"),
        KernelError::TooManyElements { tensor: "input" }
    );
    let layer = Dense::new(2, 3, 4, Activation::Relu).expect("a valid shape");
    let mut y = [0.0; 8];
    assert_eq!(
        layer.forward(&[0.0; 6], &[0.0; 12], Some(&[0.0; 3]), &mut y),
        Err(KernelError::WrongLength {
            tensor: "bias",
            expected: 4,
            actual: 3
        })
    );
    assert_eq!(
        layer.backward(&[0.0; 6], &[0.0; 12], &[], &[0.0; 8], DenseGradients::default()),
        Err(KernelError::WrongLength {
            tensor: "y",
            expected: 8,
            actual: 0
        })
    );
}
