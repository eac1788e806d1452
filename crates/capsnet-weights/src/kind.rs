//! Files that are no weights, or of a kind that isn't read, by what they begin with: said by their names, with what to
//! do.

use crate::error::Problem;

/// What a file begins with, what it is, and how to get one that can be read.
const KINDS: [(&[u8], &str, &str); 9] = [
    (
        b"version https://git-lfs.github.com/",
        "a Git LFS pointer, which stands for a file that has not been downloaded",
        "run `git lfs pull` in its repository, or download the file itself",
    ),
    (b"\x1f\x8b", "gzip", "unpack it first, with `gunzip` or `tar xzf`"),
    (b"\xfd7zXZ\0", "xz", "unpack it first, with `unxz` or `tar xJf`"),
    (b"BZh", "bzip2", "unpack it first, with `bunzip2` or `tar xjf`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"\x89HDF\r\n\x1a\n", "HDF5, as Keras writes its weights (.h5)", KERAS),
    (b"\x93NUMPY", "a NumPy array", NUMPY),
    (b"GGUF", "GGUF", "save the weights as safetensors"),
    (b"%PDF", "a PDF document", "give the weights file itself"),
];

const KERAS: &str = "turn it into safetensors by `python tools/keras_to_safetensors.py IN OUT` of the repository, \
    which knows the layers of published capsule networks";
const NUMPY: &str = "name its arrays as `capsnet info` names a model's tensors and save them by \
    `safetensors.numpy.save_file(dict(numpy.load(..)), ..)`";

/// What a file is that is neither a PyTorch file nor safetensors, if that can be told.
pub(crate) fn of_file(bytes: &[u8]) -> Option<Problem> {
    let known = KINDS.iter().find(|(start, ..)| bytes.starts_with(start));
    let known = known.map(|&(_, what, advice)| (what, advice));
    let (what, advice) = known
        .or_else(|| {
            is_web_page(bytes).then_some((
                "a web page",
                "download the file itself: a repository's page has a link \"raw\" or \"download\"",
            ))
        })
        .or_else(|| {
            is_tar(bytes).then_some((
                "a tar archive",
                "unpack it with `tar xf`; if PyTorch wrote it, before 2017, load and save it again with a newer one",
            ))
        })
        .or_else(|| {
            is_onnx(bytes).then_some((
                "an ONNX model, a program of its own",
                "measure it by `--weights NAME=model.onnx` in `sweep`, `compare` and `equivariance`",
            ))
        })?;
    Some(unsupported(what, advice))
}

/// What a zip archive with these entries is, if it isn't of torch.save.
pub(crate) fn of_archive<'a>(entries: impl Iterator<Item = &'a str>) -> Option<Problem> {
    let entries: Vec<&str> = entries.collect();
    if entries.iter().any(|name| name.ends_with("model.weights.h5")) {
        return Some(unsupported("a Keras model (.keras)", KERAS));
    }
    if !entries.is_empty() && entries.iter().all(|name| name.ends_with(".npy")) {
        return Some(unsupported("NumPy arrays (.npz)", NUMPY));
    }
    None
}

fn unsupported(what: &str, advice: &'static str) -> Problem {
    Problem::Unsupported {
        what: what.to_owned(),
        advice,
    }
}

fn is_web_page(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts = |with: &[u8]| {
        text.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") || starts(b"<?xml")
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// A message of Protocol Buffers whose first field is the version of ONNX's format, and whose next field is one that
/// ONNX has: the operator sets or the graph, or who made it.
pub fn is_onnx(bytes: &[u8]) -> bool {
    matches!(
        *bytes,
        [0x08, 1..=30, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..]
    )
}
