//! What can be wrong with a weight file: one error type, which always says which file, what and
//! what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::check::Mismatch;
use crate::file::{MAX_EXPANSION, MAX_FILE_BYTES, MAX_HEADER_BYTES};

/// A weight file that cannot be used, or could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", .path.display())]
pub struct WeightsError {
    /// The file in question.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl WeightsError {
    pub(crate) fn new(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_owned(),
            problem,
        }
    }
}

/// What is wrong with a weight file, and what to do about it.
///
/// Text that comes from the file itself is shown escaped and cut short, so that it can do nothing
/// to a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read ({0}); check the path and its permissions")]
    Unreadable(io::Error),
    /// A folder, pipe or device.
    #[error("is not a regular file; give the path of a .pt, .pth or .safetensors file")]
    NotAFile,
    /// A file of no bytes.
    #[error("is empty; copy or download it again")]
    Empty,
    /// A file larger than [`MAX_FILE_BYTES`].
    #[error(
        "has {bytes} bytes, more than the {MAX_FILE_BYTES} that are read; \
         it is no weight file of these models"
    )]
    TooLarge {
        /// Size of the file.
        bytes: u64,
    },
    /// Neither a PyTorch file nor safetensors.
    #[error(
        "is neither a PyTorch file nor safetensors; save the weights with \
         `torch.save(model.state_dict(), ..)` or `safetensors.torch.save_file(..)`"
    )]
    UnknownFormat,
    /// Truncated, corrupt, or claiming sizes that it does not have.
    #[error("is truncated or corrupt: {detail}; copy or download it again, or save it again")]
    Malformed {
        /// Where and how the file contradicts its format.
        detail: String,
    },
    /// The pickle or the safetensors header is larger than [`MAX_HEADER_BYTES`].
    #[error(
        "describes its tensors in more than {MAX_HEADER_BYTES} bytes; \
         a state dict needs far fewer, so save the weights alone"
    )]
    HeaderTooLarge,
    /// Whole and well-formed, but of a kind that is not read.
    #[error("holds {what}; {advice}")]
    Unsupported {
        /// What the file holds.
        what: String,
        /// How to get a file that can be read.
        advice: &'static str,
    },
    /// The pickle names a class or function that has no place in a state dict.
    #[error(
        "asks Python for `{}`, which is no tensor; it was not executed. \
         Files with anything but tensors are refused: save `model.state_dict()` alone, \
         and distrust files from strangers",
        shown(.global)
    )]
    ForbiddenGlobal {
        /// The class or function, `module.name`.
        global: String,
    },
    /// The pickle uses an instruction that no state dict needs.
    #[error(
        "uses the pickle instruction {opcode:#04x} at byte {offset}, \
         which builds something other than tensors; save `model.state_dict()` alone with torch.save"
    )]
    ForbiddenOpcode {
        /// The instruction.
        opcode: u8,
        /// Its position in the pickle.
        offset: usize,
    },
    /// The file as a whole is no state dict.
    #[error("holds {found} where a state dict belongs; save `model.state_dict()` with torch.save")]
    NotAStateDict {
        /// What it is instead.
        found: String,
    },
    /// One entry of the state dict is a tensor of a kind that isn't read.
    #[error(
        "entry `{}` of the state dict is {found}, which is not read; save it as a plain tensor: \
         `.dequantize()`, `.to_dense()` or `.float()` first",
        shown(.entry)
    )]
    NotATensor {
        /// Name of the entry.
        entry: String,
        /// What it is instead.
        found: String,
    },
    /// A state dict without tensors.
    #[error("holds no tensor; save `model.state_dict()` of a model that has parameters")]
    NoTensors,
    /// A name occurs twice.
    #[error(
        "names the tensor `{}` twice; save the weights again, with every name once",
        shown(.tensor)
    )]
    DuplicateName {
        /// The name.
        tensor: String,
    },
    /// A name that safetensors keeps for itself.
    #[error("the tensor name `{}` cannot be written to safetensors; rename it", shown(.tensor))]
    ReservedName {
        /// The name.
        tensor: String,
    },
    /// A tensor whose shape does not go with its data.
    #[error("tensor `{}` {detail}; save a contiguous copy of it", shown(.tensor))]
    BadLayout {
        /// Name of the tensor.
        tensor: String,
        /// What does not fit.
        detail: String,
    },
    /// All tensors together would need far more memory than the file is long.
    #[error(
        "its tensors would unfold to more than {MAX_EXPANSION} times the size of the file; \
         save contiguous copies of them, uncompressed"
    )]
    Expands,
    /// NaN or infinity, or a double that a 32-bit float cannot hold.
    #[error(
        "tensor `{}` has the value {value:?} at index {index:?}, which is no finite 32-bit number; \
         use weights from before the training diverged", shown(.tensor)
    )]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Position within the tensor.
        index: Vec<usize>,
        /// The value.
        value: f64,
    },
    /// A value too large for half precision.
    #[error(
        "tensor `{}` has the value {value:?} at index {index:?}, \
         too large for half precision (65504); write F32 instead",
        shown(.tensor)
    )]
    HalfOverflow {
        /// Name of the tensor.
        tensor: String,
        /// Position within the tensor.
        index: Vec<usize>,
        /// The value.
        value: f32,
    },
    /// Other names or shapes than the model has.
    #[error("{0}")]
    Mismatch(Mismatch),
    /// Could not be written.
    #[error("cannot be written ({0}); check the folder, its permissions and the free space")]
    Unwritable(#[from] io::Error),
}

impl Problem {
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed { detail: detail.into() }
    }

    pub(crate) fn big_endian() -> Self {
        Self::Unsupported {
            what: "numbers in big-endian order".to_owned(),
            advice: "load and save it again on a little-endian machine (any PC)",
        }
    }
}

/// Text from a file, made harmless for a terminal and short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut characters = text.chars();
    let mut safe: String = characters.by_ref().take(LONGEST).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        safe.push('…');
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_file_is_escaped_and_cut() {
        assert_eq!(shown("fc4.weight"), "fc4.weight");
        assert_eq!(shown("\u{1b}[31mred\n"), "\\u{1b}[31mred\\n");
        assert_eq!(shown(&"x".repeat(1000)), format!("{}…", "x".repeat(80)));
    }

    #[test]
    fn a_message_names_the_file_and_says_what_to_do() {
        let problem = Problem::ForbiddenGlobal {
            global: "os.system".to_owned(),
        };
        let message = WeightsError::new(Path::new("a/b.pt"), problem).to_string();
        assert!(message.starts_with("a/b.pt: asks Python for `os.system`"), "{message}");
        assert!(message.contains("save `model.state_dict()` alone"), "{message}");
    }
}
