//! The sum of a tensor's squares: read where it lies on the CPU backend in single precision.

use burn::backend::Flex;
use burn::prelude::*;

use super::flex::{contiguous, values};
use super::has_kernels;

/// The sum of the squares of all values of a tensor without autodiff.
///
/// # Panics
///
/// On the CPU, if the tensor is on a device with autodiff.
pub fn sum_of_squares<const N: usize>(tensor: Tensor<N>) -> f64 {
    if !has_kernels(&tensor) {
        return f64::from(tensor.square().sum().into_scalar::<f32>());
    }
    let tensor = tensor.try_into_primitive::<Flex>().expect("a tensor without autodiff");
    capsnet_kernels::sum_of_squares(values(&contiguous(tensor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_summed_in_whatever_order() {
        let device = Device::flex();
        let tensor = Tensor::<2>::from_floats([[1.0, -2.0, 3.0], [0.5, 0.0, 4.0]], &device);
        assert_eq!(sum_of_squares(tensor.clone()), 30.25);
        assert_eq!(sum_of_squares(tensor.clone().transpose()), 30.25);
        assert_eq!(sum_of_squares(tensor.slice([0..2, 1..3])), 29.0);
    }
}
