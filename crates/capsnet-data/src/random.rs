//! Every random draw of a run, derived from one seed by name and by index.
//!
//! A generator that is shared between images makes an image's augmentation depend on how many images were drawn
//! before it: on the number of threads, on the batch size, on where a run was resumed. Here each consumer asks for its
//! own stream instead, and what it gets depends on nothing but the seed, the name and the two indices.
//!
//! ```text
//! key    = SHA-256( "capsnet-stream-v1" | seed | length of name | name | a | b )   integers: 64 bits, little-endian
//! stream = ChaCha with 8 rounds, that key, 64-bit block counter 0, 64-bit nonce 0
//! ```
//!
//! ```
//! use capsnet_data::random::Seed;
//! use rand::Rng;
//!
//! let seed = Seed(7);
//! let (epoch, image) = (3, 59_999);
//! let mut first = seed.stream("augment", epoch, image);
//! let mut again = seed.stream("augment", epoch, image);
//! assert_eq!(first.next_u64(), again.next_u64());
//! ```

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Separates these keys from any other use of SHA-256, and names the version of the derivation.
const DOMAIN: &[u8] = b"capsnet-stream-v1";

/// The one seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The generator for purpose `name` at the indices `a` and `b`, for example the epoch and the image's index.
    ///
    /// The module documentation gives the exact derivation.
    pub fn stream(&self, name: &str, a: u64, b: u64) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.key(name, a, b))
    }

    /// A shuffle of `0..n` for purpose `name` at index `index`, for example the order of the images in an epoch.
    ///
    /// Fisher-Yates from the stream `(name, index, 0)`: for `i` from `n - 1` down to 1, swap entry `i` with entry
    /// `floor(u * (i + 1) / 2^64)`, `u` being the next 64 bits of the stream. The multiplication is biased by less than
    /// `n / 2^64`, which no data set can show.
    pub fn permutation(&self, n: usize, name: &str, index: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = self.stream(name, index, 0);
        for i in (1..n).rev() {
            let choices = i as u128 + 1;
            let chosen = (u128::from(rng.next_u64()) * choices) >> 64;
            order.swap(i, chosen as usize);
        }
        order
    }

    fn key(&self, name: &str, a: u64, b: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(self.0.to_le_bytes());
        // The length keeps a name from running into the indices.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(a.to_le_bytes());
        hash.update(b.to_le_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Made by `tests/fixtures/transform/streams.py`: hashlib's SHA-256 and a ChaCha8 written from RFC 7539 in Python.
    #[derive(Deserialize)]
    struct Golden {
        streams: Vec<GoldenStream>,
        permutations: Vec<GoldenPermutation>,
    }

    #[derive(Deserialize)]
    struct GoldenStream {
        seed: u64,
        name: String,
        a: u64,
        b: u64,
        key: Vec<u8>,
        words: Vec<u64>,
    }

    #[derive(Deserialize)]
    struct GoldenPermutation {
        seed: u64,
        name: String,
        index: u64,
        order: Vec<usize>,
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("../tests/fixtures/transform/random.json")).unwrap()
    }

    #[test]
    fn streams_equal_an_independent_derivation() {
        let golden = golden();
        assert!(golden.streams.len() >= 4);
        for stream in golden.streams {
            let seed = Seed(stream.seed);
            assert_eq!(seed.key(&stream.name, stream.a, stream.b).as_slice(), stream.key);
            let mut rng = seed.stream(&stream.name, stream.a, stream.b);
            let words: Vec<u64> = stream.words.iter().map(|_| rng.next_u64()).collect();
            assert_eq!(words, stream.words);
        }
    }

    #[test]
    fn permutations_equal_an_independent_derivation() {
        let golden = golden();
        assert!(golden.permutations.len() >= 3);
        for case in golden.permutations {
            let order = Seed(case.seed).permutation(case.order.len(), &case.name, case.index);
            assert_eq!(order, case.order);
        }
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Seed(1).permutation(1000, "shuffle", 4);
        assert_ne!(order, Seed(1).permutation(1000, "shuffle", 5));
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..1000));
    }

    #[test]
    fn neighbouring_names_and_indices_give_different_streams() {
        let seed = Seed(0);
        let keys = [
            seed.key("noise", 0, 0),
            seed.key("noise", 0, 1),
            seed.key("noise", 1, 0),
            seed.key("nois", 0x65, 0),
            seed.key("", 0, 0),
            Seed(1).key("noise", 0, 0),
        ];
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key));
        }
    }
}
