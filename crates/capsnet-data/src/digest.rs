//! SHA-256 as text, by which results say what they belong to.

use sha2::{Digest, Sha256};

/// The SHA-256 of several parts one after the other, in 64 hexadecimal digits.
///
/// ```
/// // FIPS 180-2, appendix B.1.
/// let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// assert_eq!(capsnet_data::digest::sha256(&[b"a", b"bc"]), expected);
/// ```
pub fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
