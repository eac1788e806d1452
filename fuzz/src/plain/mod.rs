//! Targets that need no networks; the corpus of one is the folder `corpus/NAME`.

pub(crate) mod craft;
mod data;
mod pickles;
pub(crate) mod scratch;
mod text;
mod weights;

/// A function that bytes are given to.
pub(crate) struct Target {
    /// Also of its program and its corpus.
    pub(crate) name: &'static str,
    /// What it does with them.
    pub(crate) run: fn(&[u8]),
}

/// A list of targets.
macro_rules! targets {
    ($($name:ident: $run:path),* $(,)?) => {
        &[$(crate::plain::Target { name: stringify!($name), run: $run }),*]
    };
}
#[allow(unused_imports, reason = "the other lists are made by it")]
pub(crate) use targets;

/// Those that need no networks.
pub(crate) const PLAIN: &[Target] = targets! {
    weights: weights::any,
    safetensors: weights::safetensors,
    torch_zip: weights::torch_zip,
    torch_legacy: weights::torch_legacy,
    pickle: pickles::tensors,
    idx: data::idx,
    mat: data::mat,
    picture: data::picture,
    csv: data::csv,
    npz: data::npz,
    npy: data::npy,
    transform: text::transform,
    values: text::values,
    address: text::address,
};
