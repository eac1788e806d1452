//! A strict reader of pickles: the few instructions that a state dict needs, and no other.
//!
//! A pickle is a program for a stack machine
//! (<https://docs.python.org/3/library/pickletools.html>). Python executes it, calling whatever it
//! names. This machine only builds values: constants, strings, tuples, lists, dicts, and the
//! storages and tensors of [`torch_objects`](crate::torch_objects). A class or function that is not in the list of
//! [`torch_names`](crate::torch_names) stops it on the spot, even where nothing would use it.
//!
//! One machine both decides what is allowed and reads the values, rather than a scanner in front of
//! a lenient reader: where two readers of the same bytes disagree, a file can show a harmless face
//! to the first.
//!
//! Memory stays in proportion to the length of the pickle, which is bounded by
//! [`MAX_HEADER_BYTES`](crate::MAX_HEADER_BYTES): values are small and copyable, containers live in
//! the [`Heap`] and are referred to by number, so that neither copying a value, nor deep nesting,
//! nor a container within itself costs anything.

use crate::error::Problem;
use crate::pickle_machine::Machine;
use crate::torch_names::{Global, Kind};
use crate::torch_objects::{StorageRef, TensorRef};

/// A value of the machine; the numbers are positions in the [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits: little-endian two's complement.
    Long(&'a [u8]),
    Float,
    Str(&'a str),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
    /// Something whose content isn't followed.
    Opaque(Kind),
}

impl Value<'_> {
    /// What the value is, in words.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Long(_) => "an int",
            Self::Float => "a float",
            Self::Str(_) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a class or function",
            Self::Storage(_) => "a storage without a tensor",
            Self::Tensor(_) => "a tensor",
            Self::Opaque(kind) => kind.text(),
        }
    }
}

/// The containers that a pickle has built.
#[derive(Debug, Default)]
pub(crate) struct Heap<'a> {
    pub tuples: Vec<Vec<Value<'a>>>,
    pub lists: Vec<Vec<Value<'a>>>,
    /// Dicts as lists of pairs, since a name that is set twice must be noticed.
    pub dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub storages: Vec<StorageRef<'a>>,
    pub tensors: Vec<TensorRef>,
}

/// What a pickle has built.
pub(crate) struct Pickle<'a> {
    pub root: Value<'a>,
    pub heap: Heap<'a>,
    /// Number of bytes up to and with the STOP instruction.
    pub length: usize,
}

/// Reads the pickle at the start of `bytes`.
pub(crate) fn read<'a>(bytes: &'a [u8]) -> Result<Pickle<'a>, Problem> {
    let mut machine = Machine::new(bytes);
    let root = machine.run()?;
    let (length, heap) = machine.into_parts();
    Ok(Pickle { root, heap, length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::MAX_HEADER_BYTES;

    fn problem(bytes: &[u8]) -> String {
        match read(bytes) {
            Ok(pickle) => panic!("accepted as {:?}", pickle.root),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn numbers_have_the_values_that_python_pickled() {
        // pickle.dumps(x, 2) of each, with Python 3.12
        for (bytes, value) in [
            (&b"\x80\x02K\xff."[..], 255),
            (b"\x80\x02M\xff\xff.", 65535),
            (b"\x80\x02J\xff\xff\xff\xff.", -1),
            (b"\x80\x02\x8a\x06\x00\x00\x00\x00\x00\xff.", -(1 << 40)),
            (b"\x80\x02\x8a\x00.", 0),
        ] {
            let root = read(bytes).unwrap().root;
            assert!(
                matches!(root, Value::Int(found) if found == value),
                "{root:?} is not {value}"
            );
        }
    }

    #[test]
    fn every_way_to_name_a_function_is_refused() {
        for bytes in [
            &b"cos\nsystem\n(S'true'\ntR."[..],
            b"(S'true'\nios\nsystem\n.",
            b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.",
            // named and thrown away: CPython would import the module all the same
            b"\x80\x02cos\nsystem\n0}.",
            // hidden behind an allowed name
            b"\x80\x02}ccollections\nOrderedDict\ncos\nsystem\n.",
        ] {
            let message = problem(bytes);
            assert!(
                message.contains("os.system") || message.contains("instruction"),
                "{message}"
            );
        }
        assert!(problem(b"\x80\x02cos\nsystem\n0}.").contains("os.system"));
        assert!(problem(b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.").contains("os.system"));
        assert!(problem(b"\x80\x02\x82\x01.").contains("0x82"));
    }

    #[test]
    fn allowed_classes_can_be_called_only_as_torch_calls_them() {
        assert!(problem(b"ctorch\nFloatStorage\n)R.").contains("called"));
        assert!(problem(b"ccollections\nOrderedDict\n]\x85R.").contains("called"));
        assert!(problem(b"ctorch\nSize\n]\x85R.").contains("called"));
        assert!(problem(b"ctorch._utils\n_rebuild_parameter\n]\x85R.").contains("called"));
        assert!(problem(b"}}R.").contains("calls a dict"));
    }

    #[test]
    fn broken_stacks_are_refused() {
        for bytes in [
            &b"."[..],
            b"(.",
            b"}}.",
            b"0",
            b"t.",
            b"\x85.",
            b"a.",
            b"}]s.",
            b"h\x00.",
            b"q\x00.",
            b"}(s.",
            b"}(Nu.",
        ] {
            problem(bytes);
        }
        // values below a MARK are out of reach
        problem(b"NN(\x86.");
    }

    #[test]
    fn lengths_are_not_believed() {
        assert!(problem(b"X\xff\xff\xff\xff").contains("ends in the middle"));
        assert!(problem(b"\x8a\xff").contains("ends in the middle"));
    }

    #[test]
    fn nesting_and_cycles_cost_nothing() {
        let mut deep = vec![b'N'];
        deep.extend(std::iter::repeat_n(0x85, 20_000));
        deep.push(b'.');
        assert!(matches!(read(&deep).unwrap().root, Value::Tuple(_)));
        assert!(matches!(read(b"]q\x00h\x00a.").unwrap().root, Value::List(_)));
    }

    #[test]
    fn a_pickle_without_an_end_is_cut_off() {
        let endless = b"K\x01".repeat(MAX_HEADER_BYTES / 2 + 1);
        assert!(matches!(read(&endless), Err(Problem::HeaderTooLarge)));
    }

    /// What an instruction of one byte makes takes dozens in memory.
    #[test]
    fn a_pickle_of_nothing_but_short_instructions_is_refused() {
        for instruction in [&b"N"[..], b")", b"}", b"]\x94", b"("] {
            let dense = [b"\x80\x02N", instruction.repeat(1 << 19).as_slice()].concat();
            assert!(problem(&dense).contains("instructions"), "{instruction:?}");
        }
        assert_eq!(size_of::<Value>(), 24);
    }
}
