//! Pictures of what capsules do: what [`capsnet_measure::look`] holds, laid out with its captions.
//!
//! One file a picture, each a function of its numbers. Nothing here knows a model: the numbers say what models said.

mod angles;
mod couplings;
mod crowding;
mod doorway;
mod parts;
mod perturbations;
mod reconstructions;
mod recovery;

pub use angles::angles;
pub use couplings::couplings;
pub use crowding::crowding;
pub use doorway::doorway;
pub use perturbations::perturbations;
pub use reconstructions::reconstructions;
pub use recovery::recovery;

use crate::drawing::Sheet;

/// A picture with its name and its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Of its files, and of the command that draws it.
    pub name: &'static str,
    /// What it shows, for those who cannot see it.
    pub alt: &'static str,
    /// Whether its images are ink on white, as the paper is, and not light on black.
    pub inked: bool,
    /// The picture.
    pub sheet: Sheet,
}
