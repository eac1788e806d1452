//! Kernel and plain operations are the same function: values and gradients of every operation that has both.

use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use burn::tensor::{TensorData, Tolerance};
use capsnet_kernels::{Centres, EmShape};

use super::{Activation, EmForm, Margins, has_kernels};
use super::{batch_norm, conv_block, convolution, cross_entropy, dense, em_routing, margin_loss, squash_coordinates};
use crate::testing::normal;

/// An operation, one that has a kernel and in plain operations. Both are given the same tensors, all values of each in
/// one row, and return the output so.
struct Operation<const N: usize> {
    name: String,
    /// The numbers of values of the operands, of which gradients are compared.
    lens: [usize; N],
    /// A thousandth of it is the tolerance of zero.
    tolerance: f32,
    kernel: Box<Function<N>>,
    plain: Box<Function<N>>,
}

type Function<const N: usize> = dyn Fn([Tensor<1>; N]) -> Tensor<1>;

impl<const N: usize> Operation<N> {
    fn check(self) {
        let device = Device::flex().autodiff();
        let operands = std::array::from_fn(|k| normal([self.lens[k]], k as u64, &device));
        assert!(operands.iter().all(has_kernels));
        let [ours, plain] = [&self.kernel, &self.plain].map(|function| run(function.as_ref(), &operands));
        let tolerance = Tolerance::rel_abs(self.tolerance, self.tolerance);
        for (nr, (ours, plain)) in ours.iter().zip(&plain).enumerate() {
            println!(
                "{}: {}",
                self.name,
                if nr == 0 {
                    "output".to_owned()
                } else {
                    format!("gradient {nr}")
                }
            );
            ours.assert_approx_eq::<f32>(plain, tolerance);
        }
    }
}

/// The output and the gradients of all operands, under a loss in which each value of the output has its own weight.
fn run<const N: usize>(function: &Function<N>, operands: &[Tensor<1>; N]) -> Vec<TensorData> {
    let operands = operands.clone().map(|operand| operand.require_grad());
    let output = function(operands.clone());
    let device = output.device();
    let weights = (Tensor::<1, Int>::arange(0..output.dims()[0] as i64, &device).float() * 1.3).cos() + 0.1;
    let gradients = (output.clone() * weights).sum().backward();
    let gradients = operands
        .iter()
        .map(|operand| operand.grad(&gradients).expect("each operand has a gradient"));
    [output.inner()]
        .into_iter()
        .chain(gradients)
        .map(Tensor::into_data)
        .collect()
}

/// What a GPU is given instead, which computes nothing of its own: it runs on the CPU's tensors too.
#[test]
fn the_convolution_as_one_product() {
    for (batch, ic, oc, [height, width], [kh, kw], stride) in
        [(3, 1, 4, [9, 9], [5, 5], [1, 1]), (2, 3, 5, [8, 11], [3, 4], [2, 3])]
    {
        for rectify in [false, true] {
            let reshape = move |[x, w, b]: [Tensor<1>; 3]| {
                let (x, w) = (x.reshape([batch, ic, height, width]), w.reshape([oc, ic, kh, kw]));
                (x, w / 10.0, b)
            };
            let by = |convolve: fn(Tensor<4>, Tensor<4>, Tensor<1>, [usize; 2], bool) -> Tensor<4>| {
                move |operands| {
                    let (x, w, b) = reshape(operands);
                    convolve(x, w, b, stride, rectify).flatten(0, 3)
                }
            };
            Operation {
                name: format!("product of {ic} x {height} x {width}, rectified: {rectify}"),
                lens: [batch * ic * height * width, oc * ic * kh * kw, oc],
                tolerance: 1e-4,
                kernel: Box::new(by(convolution::by_product)),
                plain: Box::new(by(convolution::plain)),
            }
            .check();
        }
    }
}

#[test]
fn the_convolution() {
    // The second shape is one that the fast algorithm takes.
    for (batch, ic, oc, side, k, stride) in [(3, 2, 4, 9, 3, 2), (2, 32, 32, 20, 9, 2)] {
        for rectify in [false, true] {
            let reshape = move |[x, w, b]: [Tensor<1>; 3]| {
                // Not contiguous, as the feature maps of plain operations may be.
                let x = x.reshape([batch, side, side, ic]).permute([0, 3, 1, 2]);
                (x, w.reshape([oc, ic, k, k]) / 10.0, b)
            };
            let kernel = move |operands| {
                let (x, w, b) = reshape(operands);
                let convolve = if rectify {
                    convolution::conv2d_relu
                } else {
                    convolution::conv2d
                };
                convolve(x, w, b, [stride; 2]).flatten(0, 3)
            };
            let plain = move |operands| {
                let (x, w, b) = reshape(operands);
                convolution::plain(x, w, b, [stride; 2], rectify).flatten(0, 3)
            };
            Operation {
                name: format!("convolution of {side} x {side}, rectified: {rectify}"),
                lens: [batch * ic * side * side, oc * ic * k * k, oc],
                tolerance: 1e-3,
                kernel: Box::new(kernel),
                plain: Box::new(plain),
            }
            .check();
        }
    }
}

#[test]
fn the_batch_norm() {
    for shape @ [batch, channels, height, width] in [[3, 2, 4, 5], [1, 17, 1, 9], [5, 64, 20, 20]] {
        let norm = |function: fn(_, _, _, _) -> (Tensor<4>, _)| {
            move |[x, w, b]: [Tensor<1>; 3]| {
                let x = x.reshape([batch, height, width, channels]).permute([0, 3, 1, 2]) * 2.0 + 3.0;
                function(x, w, b, 1e-3).0.flatten(0, 3)
            }
        };
        Operation {
            name: format!("batch norm of {shape:?}"),
            lens: [shape.iter().product(), channels, channels],
            tolerance: 1e-3,
            kernel: Box::new(norm(batch_norm::batch_norm)),
            plain: Box::new(norm(batch_norm::plain)),
        }
        .check();
    }
}

#[test]
fn the_block_of_convolution_relu_and_pooling() {
    // The blocks of LeNet-5, odd outputs, and a pooling that the kernel doesn't do.
    for (batch, [ic, oc], side, k, pool) in [
        (3, [1, 6], 28, 5, 2),
        (7, [6, 16], 12, 5, 2),
        (2, [3, 20], 9, 3, 2),
        (2, [3, 4], 11, 3, 3),
    ] {
        let (x, w) = ([batch, ic, side, side], [oc, ic, k, k]);
        assert_eq!(
            conv_block::plan(x, w, pool).is_some(),
            pool == 2,
            "the kernel takes the shape"
        );
        Operation {
            name: format!("block of {side} x {side}, pool {pool}"),
            lens: [x.iter().product(), w.iter().product(), oc],
            tolerance: 1e-3,
            kernel: Box::new(move |[of_x, of_w, b]| {
                conv_block::conv_relu_pool(of_x.reshape(x), of_w.reshape(w), b, pool).flatten(0, 3)
            }),
            plain: Box::new(move |[of_x, of_w, b]| {
                conv_block::plain(of_x.reshape(x), of_w.reshape(w), b, pool).flatten(0, 3)
            }),
        }
        .check();
    }
}

#[test]
fn the_fully_connected_layer() {
    for [batch, inputs, outputs] in [[1, 160, 512], [7, 33, 129], [130, 20, 3]] {
        for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
            // The transposed input is what a layer may get: not contiguous.
            let reshape = move |[x, w, b]: [Tensor<1>; 3]| {
                let x = x.reshape([inputs, batch]).transpose();
                (x, w.reshape([inputs, outputs]) / 10.0, b)
            };
            let kernel = move |operands| {
                let (x, w, b) = reshape(operands);
                dense::linear(x, w, b, activation).flatten(0, 1)
            };
            let plain = move |operands| {
                let (x, w, b) = reshape(operands);
                dense::plain(x, w, b, activation).flatten(0, 1)
            };
            Operation {
                name: format!("layer of {inputs} x {outputs}, {activation:?}"),
                lens: [inputs * batch, inputs * outputs, outputs],
                tolerance: 1e-4,
                kernel: Box::new(kernel),
                plain: Box::new(plain),
            }
            .check();
        }
    }
}

#[test]
fn the_squash() {
    for shape @ [batch, dimensions, capsules] in [[1, 8, 36], [7, 5, 33], [2, 1, 3]] {
        Operation {
            name: format!("squash of {capsules} capsules"),
            lens: [batch * dimensions * capsules],
            tolerance: 1e-5,
            kernel: Box::new(move |[x]| squash_coordinates::squash_coordinates(x.reshape(shape)).flatten(0, 2)),
            plain: Box::new(move |[x]| squash_coordinates::plain(x.reshape(shape)).flatten(0, 2)),
        }
        .check();
    }
}

#[test]
fn the_margin_loss() {
    let other = Margins {
        present: 0.6,
        absent: 0.3,
        absent_weight: 1.25,
    };
    for (batch, margins) in [(1, Margins::default()), (7, other), (33, Margins::default())] {
        let truth = move || {
            let device = Device::flex().autodiff();
            let every_fourth = Tensor::<1, Int>::arange(0..batch as i64 * 10, &device)
                .remainder_scalar(4)
                .equal_elem(0);
            every_fourth.float().reshape([batch, 10])
        };
        Operation {
            name: format!("margin loss of {batch}"),
            lens: [batch * 10],
            tolerance: 1e-5,
            kernel: Box::new(move |[x]| margin_loss::margin_loss(margins, x.reshape([batch, 10]), truth())),
            plain: Box::new(move |[x]| margin_loss::plain(margins, x.reshape([batch, 10]), truth())),
        }
        .check();
    }
}

#[test]
fn the_cross_entropy() {
    for batch in [1, 7, 33] {
        let classes = move || {
            let device = Device::flex().autodiff();
            (Tensor::<1, Int>::arange(0..batch as i64, &device) * 7).remainder_scalar(10)
        };
        Operation {
            name: format!("cross-entropy of {batch}"),
            lens: [batch * 10],
            tolerance: 1e-5,
            kernel: Box::new(move |[x]| cross_entropy::cross_entropy(x.reshape([batch, 10]) * 4.0, classes())),
            plain: Box::new(move |[x]| cross_entropy::plain(x.reshape([batch, 10]) * 4.0, classes())),
        }
        .check();
    }
}

#[test]
fn the_em_routing() {
    let convolution = EmShape {
        batch: 3,
        height: 6,
        width: 5,
        lower: 2,
        upper: 17,
        kernel: [3, 3],
        stride: 2,
        shared: false,
        centres: None,
        iterations: 3,
        form: EmForm::Paper,
    };
    let classes = EmShape {
        kernel: [6, 5],
        stride: 1,
        shared: true,
        centres: Some(Centres {
            first: [2, 4],
            step: 4,
            size: [28, 30],
        }),
        iterations: 2,
        ..convolution
    };
    let official = |shape| EmShape {
        form: EmForm::Official,
        ..shape
    };
    for shape in [convolution, classes, official(convolution), official(classes)] {
        let reshape = move |[poses, activations, w, betas]: [Tensor<1>; 4]| {
            let map = [shape.batch, shape.height, shape.width, shape.lower];
            let [b, h, width, types] = map;
            let activations = sigmoid(activations).reshape([b, h, width, types, 1]);
            let children = Tensor::cat(vec![poses.reshape([b, h, width, types, 16]), activations], 4);
            let w = w.reshape([shape.weight_offsets() * types, shape.upper, 4, 4]) / 2.0;
            (children, w, betas.reshape([2, shape.upper]))
        };
        // Activations depend so little on anything that their gradients would drown in the others.
        let loud = |parents: Tensor<4>| {
            let (mean, activation) = (parents.clone().narrow(3, 0, 16), parents.narrow(3, 16, 1));
            Tensor::cat(vec![mean, activation * 30.0], 3).flatten(0, 3)
        };
        let kernel = move |operands| {
            let (children, w, betas) = reshape(operands);
            loud(em_routing::em_routing(children, w, betas, shape))
        };
        let plain = move |operands| {
            let (children, w, betas) = reshape(operands);
            loud(em_routing::plain::em_routing(children, w, betas, shape))
        };
        let children = shape.children_len() / 17;
        Operation {
            name: format!("EM routing of {} x {}", shape.height, shape.width),
            lens: [children * 16, children, shape.weight_len(), 2 * shape.upper],
            // Where few votes agree, a variance is a small difference of rounded numbers. The kernel's own tests hold
            // it to double precision.
            tolerance: 1e-2,
            kernel: Box::new(kernel),
            plain: Box::new(plain),
        }
        .check();
    }
}
