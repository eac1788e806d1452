//! At the border between Burn's CPU backend and the kernels.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use capsnet_kernels::Scratch;

/// The tensor itself if its values lie in order, else a copy.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a contiguous tensor.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor was made contiguous")
}

/// A tensor that takes the values over.
pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// The scratch memory of all plans: layers run one after the other, and so do training and validation.
pub(super) static SCRATCH: LazyLock<Scratch> = LazyLock::new(Scratch::default);

/// Plans of the shapes in use, most recent last. A layer has three: full batches, the last one, and evaluation's.
pub(super) struct Plans<Shape, Plan> {
    plans: Mutex<Vec<(Shape, Arc<Plan>)>>,
    most: usize,
}

impl<Shape: PartialEq, Plan> Plans<Shape, Plan> {
    /// Room for the plans of so many layers of a network.
    pub(super) const fn for_layers(layers: usize) -> Self {
        Self {
            plans: Mutex::new(Vec::new()),
            most: 3 * layers,
        }
    }

    /// The plan of a shape, made if it isn't known.
    pub(super) fn get(&self, shape: Shape, make: impl FnOnce() -> Plan) -> Arc<Plan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().position(|(of, _)| *of == shape);
        let plan = match known {
            Some(position) => plans.remove(position).1,
            None => Arc::new(make()),
        };
        if plans.len() >= self.most {
            plans.remove(0);
        }
        plans.push((shape, plan.clone()));
        plan
    }
}
