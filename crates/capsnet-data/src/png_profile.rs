//! PNG files without their colour profiles, which the decoder unpacks outside of its limit and nobody here looks at.
//!
//! A profile is the chunk `iCCP` (PNG, third edition, 11.3.2.3): a name, a zero, the method, and a zlib stream that may
//! unfold to a thousand times its length. Text chunks are passed over by the decoder itself.

use std::borrow::Cow;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const PROFILE: &[u8] = b"iCCP";
/// Length and type before a chunk's data, and the checksum after it.
const AROUND: usize = 12;

/// The same file without its profiles; anything that is no PNG as it is.
pub(crate) fn without_profile(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut rest) = bytes.strip_prefix(SIGNATURE) else {
        return bytes.into();
    };
    if !bytes.windows(PROFILE.len()).any(|window| window == PROFILE) {
        return bytes.into();
    }
    let mut kept = SIGNATURE.to_vec();
    while let Some(length) = chunk(rest) {
        let (whole, after) = rest.split_at(length);
        if whole[4..8] != *PROFILE {
            kept.extend_from_slice(whole);
        }
        rest = after;
    }
    // Half a chunk, for the decoder to complain of; half a profile is worth no complaint.
    if rest.get(4..8) != Some(PROFILE) {
        kept.extend_from_slice(rest);
    }
    kept.into()
}

/// The length of the whole chunk that `bytes` begins with.
fn chunk(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let whole = usize::try_from(length).ok()?.checked_add(AROUND)?;
    (whole <= bytes.len()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk with a checksum that nobody looks at here.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length, &kind[..], data, b"cccc"].concat()
    }

    #[test]
    fn profiles_go_and_all_else_stays() {
        let (head, data, end) = (
            chunk(b"IHDR", b"head"),
            chunk(b"IDAT", b"in it: iCCP"),
            chunk(b"IEND", b""),
        );
        let profile = chunk(b"iCCP", &[7; 1000]);
        let plain = [SIGNATURE, &head, &data, &end].concat();
        assert_eq!(*without_profile(&plain), *plain);
        let twice = [SIGNATURE, &head, &profile, &profile, &data, &end].concat();
        assert_eq!(*without_profile(&twice), *plain);
        // Cut off in the data, and in a profile.
        let cut = [SIGNATURE, &head, &profile, &data[..14]].concat();
        assert_eq!(*without_profile(&cut), [SIGNATURE, &head, &data[..14]].concat());
        let cut = [SIGNATURE, &head, &profile[..500]].concat();
        assert_eq!(*without_profile(&cut), [SIGNATURE, &head].concat());
        assert_eq!(*without_profile(b"GIF89a iCCP"), *b"GIF89a iCCP");
    }

    #[test]
    fn lengths_that_cannot_be_are_left_to_the_decoder() {
        let bytes = [SIGNATURE, b"\xff\xff\xff\xffiCCPabc"].concat();
        assert_eq!(*without_profile(&bytes), *SIGNATURE);
        let bytes = [SIGNATURE, b"\0\0\0", b"iCCP"].concat();
        assert_eq!(*without_profile(&bytes), *bytes);
    }
}
