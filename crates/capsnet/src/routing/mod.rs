//! Routing: how the votes of lower capsules become upper capsules.
//!
//! | text form | couplings |
//! |---|---|
//! | `dynamic:3` | from the agreement of votes with the output, in three iterations ([`dynamic`]) |
//! | `dynamic-inputs:3` | the same with the softmax over the wrong capsules, for weights that were made with it |
//! | `uniform`, `uniform-inputs` | all equal ([`uniform`]) |
//! | `random:7`, `random-inputs:7` | drawn once from a seed ([`random`]) |
//! | `self-attention` | from the agreement of a vote with the sum of all, once ([`self_attention`]) |
//! | `em:3` | shares of Gaussians in the votes, by expectation-maximisation ([`em`]) |
//! | `em-official:3` | all one, as in the authors' code, where types of capsules don't compete ([`em_official`]) |
//! | `inverted-attention:2` | attention of the lower capsules to the upper ones ([`inverted_attention`]) |
//! | `max-min:3` | as `dynamic:3`, scaled to 0..1 instead of a softmax ([`max_min`]) |
//! | `self-routing` | what each lower capsule says by itself, in one pass ([`self_routing`]) |
//!
//! An algorithm implements [`Route`] and stands in a file of its own, beside an [`Algorithm`] that says its name. The
//! list below is the only other place that knows of it: flags, studies, configurations and pictures take whatever has a
//! name. An algorithm of yours, in your own crate, gets a name by [`register`], and needs none to be used in a layer.
//!
//! Shapes: `B` samples, `I` lower capsules, `J` upper capsules, `D` the dimensions of an upper capsule.

mod choice;
mod first_form;
mod named;
mod route;
mod votes_file;

pub use capsnet_kernels::CouplingsOver;
pub use choice::Routing;
pub use first_form::{Couplings, CouplingsError, FirstForm};
pub use named::{Algorithm, MAX_ITERATIONS, Number, RoutingError, algorithms, forms, register};
pub use route::{InLayers, Iteration, LayerSizes, Parameter, Route, Routed, Trace, Upper, Votes};
pub use votes_file::{RoutedFile, VotesError, route_votes_file};

/// Declares the file of each algorithm and collects what they are called.
macro_rules! algorithms {
    ($($file:ident,)*) => {
        $(pub mod $file;)*
        /// The algorithms of this library.
        const BUILT_IN: &[&[Algorithm]] = &[$($file::ALGORITHMS),*];
    };
}

// rustfmt doesn't find files that are declared so; the gate hands them to it.
algorithms! {
    dynamic,
    uniform,
    random,
    self_attention,
    em,
    em_official,
    inverted_attention,
    max_min,
    self_routing,
}
