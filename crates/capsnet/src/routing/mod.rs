//! Routing: how the votes of lower capsules become upper capsules.
//!
//! | text form | couplings |
//! |---|---|
//! | `dynamic:3` | from the agreement of votes with the output, in three iterations ([`dynamic`]) |
//! | `dynamic-inputs:3` | the same with the softmax over the wrong capsules, for weights that were made with it |
//! | `uniform`, `uniform-inputs` | all equal ([`uniform`]) |
//! | `random:7`, `random-inputs:7` | drawn once from a seed ([`random`]) |
//!
//! An algorithm implements [`Route`] and stands in a file of its own, beside an [`Algorithm`] that says its name. The
//! list below is the only other place that knows of it: flags, studies, configurations and pictures take whatever has a
//! name. An algorithm of yours, in your own crate, gets a name by [`register`], and needs none to be used in a layer.
//!
//! Shapes: `B` samples, `I` lower capsules, `J` upper capsules, `D` the dimensions of an upper capsule.

mod choice;
mod first_form;
mod route;

pub use capsnet_kernels::CouplingsOver;
pub use choice::{Algorithm, MAX_ITERATIONS, Number, Routing, RoutingError, algorithms, forms, register};
pub use first_form::{Couplings, CouplingsError, FirstForm};
pub use route::{Iteration, Route, Routed, Trace, Upper, Votes};

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
}
