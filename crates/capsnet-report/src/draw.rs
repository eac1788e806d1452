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

use capsnet_data::catalog::KnownSet;

use crate::drawing::Sheet;

/// The most names under a picture; more would be a book.
const MOST_NAMES: usize = 60;

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

impl Figure {
    /// With what the numbers of its classes mean at the end of its text, unless they are those of digits.
    #[must_use]
    pub fn with_classes(mut self, names: &[String]) -> Self {
        if !KnownSet::Mnist.class_names().iter().eq(names) {
            let mut listed: Vec<String> = names
                .iter()
                .enumerate()
                .map(|(class, name)| format!("{class} {name}"))
                .collect();
            if listed.len() > MOST_NAMES {
                listed.truncate(MOST_NAMES);
                listed.push(format!("and {} more", names.len() - MOST_NAMES));
            }
            self.sheet.add_to_caption(&format!("Classes: {}.", listed.join(", ")));
        }
        self
    }
}
