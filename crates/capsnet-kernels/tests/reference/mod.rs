//! The convolution by its definition, in f64, for clarity alone.

#![allow(dead_code)] // Every test file takes what it needs.

use capsnet_kernels::ConvShape;

/// Calls `visit(input, weight, output)` with the positions of every product in the definition.
fn for_each_product(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let s = shape;
    let (out_h, out_w) = (s.out_h(), s.out_w());
    for n in 0..s.batch {
        for o in 0..s.out_channels {
            for c in 0..s.in_channels {
                for i in 0..out_h {
                    for j in 0..out_w {
                        for k in 0..s.kernel_h {
                            for l in 0..s.kernel_w {
                                let (y, x) = (i * s.stride_h + k, j * s.stride_w + l);
                                let inside = (s.pad_h..s.pad_h + s.height).contains(&y)
                                    && (s.pad_w..s.pad_w + s.width).contains(&x);
                                if inside {
                                    let input =
                                        ((n * s.in_channels + c) * s.height + y - s.pad_h) * s.width + x - s.pad_w;
                                    let weight = ((o * s.in_channels + c) * s.kernel_h + k) * s.kernel_w + l;
                                    visit(input, weight, ((n * s.out_channels + o) * out_h + i) * out_w + j);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn forward(shape: &ConvShape, x: &[f32], w: &[f32], bias: &[f32], relu: bool) -> Vec<f64> {
    let pixels = shape.out_h() * shape.out_w();
    let mut y: Vec<f64> = (0..shape.output_len())
        .map(|i| f64::from(bias[i / pixels % shape.out_channels]))
        .collect();
    for_each_product(shape, |input, weight, output| {
        y[output] += f64::from(x[input]) * f64::from(w[weight])
    });
    if relu {
        y.iter_mut().for_each(|y| *y = y.max(0.0));
    }
    y
}

pub(crate) fn backward_data<T: Copy + Into<f64>>(shape: &ConvShape, w: &[f32], dy: &[T]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.input_len()];
    for_each_product(shape, |input, weight, output| {
        dx[input] += dy[output].into() * f64::from(w[weight])
    });
    dx
}

pub(crate) fn backward_weight<T: Copy + Into<f64>>(shape: &ConvShape, x: &[f32], dy: &[T]) -> Vec<f64> {
    let mut dw = vec![0.0; shape.weight_len()];
    for_each_product(shape, |input, weight, output| {
        dw[weight] += dy[output].into() * f64::from(x[input])
    });
    dw
}

pub(crate) fn backward_bias<T: Copy + Into<f64>>(shape: &ConvShape, dy: &[T]) -> Vec<f64> {
    let pixels = shape.out_h() * shape.out_w();
    let mut db = vec![0.0; shape.out_channels];
    dy.iter()
        .enumerate()
        .for_each(|(i, &dy)| db[i / pixels % shape.out_channels] += dy.into());
    db
}
