//! Studies: declared variants of models, each trained with several seeds and tested under several transforms.
//!
//! A declaration is TOML: keys of a run's `config.toml` and names of flags, see [`settings`](crate::settings), and what
//! a study says beside them; [`EXAMPLE`] explains itself. It is planned, checked, and carried out in a folder, where
//! every run has a folder of its own. What is done is not done again, and what was stopped goes on.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use burn::prelude::Device;
//! use capsnet::study::{Declaration, Machine, Plan, Study};
//! use capsnet_data::dataset::{Dataset, Split};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (file, data) = (Path::new("mine.toml"), Path::new("data/mnist"));
//! let declaration = Declaration::read(file)?;
//! let machine = Machine { data: data.into(), threads: 2, images: None };
//! let plan = Plan::new(&declaration, &machine).map_err(|fault| fault.of(file))?;
//! let images = [Dataset::load(data, Split::Train)?, Dataset::load(data, Split::Test)?];
//! let device = Device::flex();
//! let study = Study::new(&plan, Path::new("runs/mine"), images.each_ref(), ("cpu", &device));
//! study.check()?;
//! let outcome = study.execute(&AtomicBool::new(false), &mut |_| {})?;
//! println!("{:.4}", outcome.variants[0].tests[0].accuracy());
//! # Ok(())
//! # }
//! ```

mod declaration;
mod error;
mod execute;
mod outcome;
mod plan;
mod record;
mod testing;
mod training;

pub use declaration::{Declaration, Declared, Variant};
pub use error::{Fault, StudyError};
pub use execute::{Event, Study};
pub use plan::{Images, Machine, Origin, Plan, Planned, Run};
pub use record::Record;

/// A declaration that explains itself.
pub const EXAMPLE: &str = include_str!("example.toml");
