//! What made a checkpoint: whoever goes on with other means ends with other weights.

use capsnet_data::dataset::Dataset;
use capsnet_kernels::instruction_set;
use serde::{Deserialize, Serialize};

/// What, beside a run's settings, decides its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// The version of this library.
    pub program: String,
    /// What the kernels ran on: `avx512`, `avx2` or `portable`.
    pub instruction_set: String,
    /// SHA-256 of the images and labels.
    pub data_sha256: String,
}

impl MadeBy {
    /// This program on this machine, with these images.
    pub fn here(data: &Dataset) -> Self {
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: instruction_set().to_owned(),
            data_sha256: data.sha256(),
        }
    }
}
