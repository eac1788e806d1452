//! The lab without a server: the same answers ([`capsnet_lab::Lab::answer`]), from WebAssembly in the page's worker.
//!
//! LeNet-5, the equivariant capsule network and a thousand digits are inside the module; CapsNet's weights are handed
//! in when somebody wants them. `tools/build_web.sh` makes the folder of static files.

#![cfg(target_family = "wasm")]

use std::path::Path;

use burn::prelude::Device;
use capsnet::loaded::LoadedModel;
use capsnet::pretrained::{FILES, Place, Pretrained};
use capsnet_data::digest::sha256;
use capsnet_data::embedded;
use capsnet_lab::Lab;
use wasm_bindgen::prelude::wasm_bindgen;

/// The weights that aren't inside.
const CAPSNET: &str = "capsnet.safetensors";

/// Models and digits that the page asks about.
#[wasm_bindgen]
pub struct Web(Lab);

#[wasm_bindgen]
impl Web {
    /// A lab of the models inside, and of CapsNet if its weights are there. `note` is what stands beside the weights.
    ///
    /// # Errors
    ///
    /// If the weights aren't those of this version.
    #[wasm_bindgen(constructor)]
    pub fn new(capsnet: Option<Vec<u8>>, note: Option<String>) -> Result<Self, String> {
        let device = Device::default();
        let inside = |name: &str| {
            let found = Pretrained {
                name: name.to_owned(),
                place: Place::Inside,
            };
            LoadedModel::pretrained(&found, &device).map_err(|error| error.to_string())
        };
        // In the order of the program's.
        let mut models = vec![inside("lenet5")?];
        if let Some(bytes) = capsnet {
            let file = FILES
                .iter()
                .find(|file| file.name == CAPSNET)
                .ok_or("no such weights are known")?;
            if sha256(&[&bytes]) != file.unpacked_sha256 {
                return Err(format!("{} isn't the file that belongs to this page", file.name));
            }
            let path = Path::new("weights").join(file.name);
            let model = LoadedModel::parse(&bytes, &path, note.as_deref(), &device);
            models.push(model.map_err(|error| error.to_string())?);
        }
        models.push(inside("equivariant-capsnet")?);
        let lab = Lab::new(models, embedded::digits(), device);
        lab.map(Self).map_err(|error| error.to_string())
    }

    /// The answer to a question, as JSON.
    ///
    /// # Errors
    ///
    /// If there is no such question, or it makes no sense.
    pub fn answer(&mut self, question: &str, body: &str) -> Result<String, String> {
        self.0
            .answer(question, body.as_bytes())
            .map_err(|fault| fault.to_string())
    }
}
