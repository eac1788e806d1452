//! Readers of weights.

use capsnet_weights::{FloatDtype, MAX_EXPANSION, NamedTensor, Rename, TensorValues, parse, write_safetensors};

use super::craft;

/// A file as it is.
pub(crate) fn any(bytes: &[u8]) {
    let Ok(state) = parse(bytes, "weights") else { return };
    let size = |values: &TensorValues| match values {
        TensorValues::F32(values) => size_of_val(&values[..]),
        TensorValues::I64(values) => size_of_val(&values[..]),
    };
    let held: usize = state.iter().map(|(_, tensor)| size(tensor.values())).sum();
    assert!(
        held <= bytes.len() * MAX_EXPANSION,
        "{held} bytes out of {}",
        bytes.len()
    );
    let mut written = Vec::new();
    write_safetensors(&mut written, &state, &[], FloatDtype::F32).expect("what was read can be written");
    let again = parse(&written, "again").expect("what was written can be read");
    let content =
        |(name, tensor): (&str, &NamedTensor)| (name.to_owned(), tensor.shape().to_vec(), tensor.values().clone());
    assert!(state.iter().map(content).eq(again.iter().map(content)));
    let _ = state.without_prefix();
    let renames: [Rename; 2] = ["*.weight=*.w", "a*b*=*c*"].map(|rename| rename.parse().expect("a pattern"));
    let _ = state.renamed(&renames);
}

/// A header of JSON, with 256 bytes of data after it, or as many as the first byte says.
pub(crate) fn safetensors(bytes: &[u8]) {
    let (length, header) = craft::choice(bytes);
    any(&craft::safetensors(header, &vec![0; 4 * usize::from(length)]));
}

/// The pickle of a zip file whose storages `0`, `1` and `2` have 8, 24 and 64 bytes; the first byte chooses packing.
pub(crate) fn torch_zip(bytes: &[u8]) {
    let (packing, pickle) = craft::choice(bytes);
    any(&archive(pickle, packing % 2 == 1));
}

pub(crate) fn archive(pickle: &[u8], deflated: bool) -> Vec<u8> {
    let entries: [(&str, &[u8]); 5] = [
        ("m/data.pkl", pickle),
        ("m/byteorder", b"little"),
        ("m/data/0", &[0; 8]),
        ("m/data/1", &[0; 24]),
        ("m/data/2", &[0; 64]),
    ];
    craft::zip(&entries, deflated)
}

/// The object and its storages of a file of before PyTorch 1.6.
pub(crate) fn torch_legacy(bytes: &[u8]) {
    let start = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00(X\x10\x00\x00\x00\
        protocol_versionq\x01M\xe9\x03X\r\x00\x00\x00little_endianq\x02\x88X\n\x00\x00\x00type_sizesq\x03}u.";
    any(&[&start[..], bytes].concat());
}
