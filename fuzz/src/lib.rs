//! What the fuzz targets do with their bytes: give them to a reader or a grammar, and hold what it makes of them to
//! what it promises. A panic is a finding; whatever is refused is fine.
//!
//! These are plain functions, so that the workspace runs the corpus through them as a test, without a fuzzer
//! (`crates/capsnet-cli/tests/corpus.rs`).

#[cfg(feature = "models")]
mod models;
mod plain;

pub use libfuzzer_sys;

/// What the target of this name does.
///
/// # Panics
///
/// If there is none.
pub fn named(name: &str) -> fn(&[u8]) {
    let found = plain::PLAIN.iter().find(|target| target.name == name);
    #[cfg(feature = "models")]
    let found = found.or_else(|| models::MODELS.iter().find(|target| target.name == name));
    found.expect("it is in a list").run
}

/// The program of a target, by its name in the lists.
#[macro_export]
macro_rules! fuzz {
    ($name:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            static RUN: std::sync::OnceLock<fn(&[u8])> = std::sync::OnceLock::new();
            RUN.get_or_init(|| $crate::named(stringify!($name)))(bytes);
        });
    };
}
