//! The classes and functions that a pickle may name: those that PyTorch's own safe loader
//! (`torch.load(weights_only=True)`) knows, and NumPy's scalars.
//!
//! None is called. What has a place in a state dict is followed by [`torch_objects`](crate::torch_objects); everything
//! else becomes a value without content, which may stand beside a state dict and is passed over. Source:
//! `torch/_weights_only_unpickler.py`.

use crate::element::Dtype;
use crate::error::Problem;

/// A class or function that a pickle may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    /// `OrderedDict` and `Counter`, which are dicts.
    Dict,
    /// `torch.Size`, which is a tuple.
    Size,
    /// `_rebuild_tensor`, of PyTorch before 0.4.
    RebuildTensor,
    /// `_rebuild_tensor_v2`.
    RebuildTensorV2,
    /// `_rebuild_tensor_v3`, which names the element type.
    RebuildTensorV3,
    /// `Parameter`, `_rebuild_parameter` and `_rebuild_parameter_with_state`.
    Parameter,
    /// `_rebuild_from_type_v2`: a call of another of these functions.
    RebuildFromType,
    /// A class of storages, by what their elements are.
    Storage(Element),
    /// An element type by itself, `torch.float32`.
    Dtype(Element),
    /// Something that isn't followed and does no harm, by what it makes.
    Opaque(Kind),
}

/// The elements of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    /// Numbers that are read.
    Plain(Dtype),
    /// Other numbers: bytes an element, and what a tensor of them is.
    Other(u8, Kind),
}

impl Element {
    /// Bytes an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Plain(dtype) => dtype.size(),
            Self::Other(size, _) => usize::from(size),
        }
    }
}

/// What a value is whose content isn't followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Bytes,
    Set,
    ComplexNumber,
    Device,
    Layout,
    Scheme,
    StorageObject,
    NumpyDtype,
    NumpyScalar,
    Complex,
    Quantised,
    Untyped,
    U64,
    F8,
    F4,
    Bits,
    SmallInt,
    Sparse,
    Nested,
    Meta,
    Subclass,
    OtherDevice,
    Ancient,
}

impl Kind {
    /// What it is, in words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Set => "a set",
            Self::ComplexNumber => "a complex number",
            Self::Device => "a device",
            Self::Layout => "a memory layout",
            Self::Scheme => "a quantisation scheme",
            Self::StorageObject => "a storage without a tensor",
            Self::NumpyDtype => "a NumPy element type",
            Self::NumpyScalar => "a NumPy scalar",
            Self::Complex => "a tensor of complex numbers",
            Self::Quantised => "a quantised tensor",
            Self::Untyped => "a tensor of untyped bytes",
            Self::U64 => "a tensor of unsigned 64-bit integers",
            Self::F8 => "a tensor of 8-bit floats",
            Self::F4 => "a tensor of 4-bit floats",
            Self::Bits => "a tensor of bits",
            Self::SmallInt => "a tensor of integers of less than a byte",
            Self::Sparse => "a sparse tensor",
            Self::Nested => "a nested tensor",
            Self::Meta => "a tensor without values",
            Self::Subclass => "a tensor of another class",
            Self::OtherDevice => "a tensor of another device",
            Self::Ancient => "a tensor as PyTorch before 0.2 wrote them",
        }
    }

    /// Whether it is a tensor, of a kind that isn't read.
    pub(crate) fn is_tensor(self) -> bool {
        self >= Self::Complex
    }
}

impl Global {
    /// The class or function `module.name`, if it may occur in a file of weights.
    pub(crate) fn find(module: &str, name: &str) -> Result<Self, Problem> {
        let found = match module {
            "collections" => match name {
                "OrderedDict" | "Counter" => Some(Self::Dict),
                _ => None,
            },
            "torch" => in_torch(name),
            "torch._utils" => in_utils(name),
            "torch.storage" => match name {
                "UntypedStorage" | "_UntypedStorage" => Some(Self::Storage(UNTYPED)),
                "TypedStorage" => Some(Global::Opaque(Kind::StorageObject)),
                _ => None,
            },
            "torch.nn.parameter" if name == "Parameter" => Some(Self::Parameter),
            "torch._tensor" if name == "_rebuild_from_type_v2" => Some(Self::RebuildFromType),
            "torch.serialization" if name == "_get_layout" => Some(Global::Opaque(Kind::Layout)),
            "_codecs" if name == "encode" => Some(Global::Opaque(Kind::Bytes)),
            "builtins" | "__builtin__" => match name {
                "bytearray" => Some(Global::Opaque(Kind::Bytes)),
                "set" => Some(Global::Opaque(Kind::Set)),
                "complex" => Some(Global::Opaque(Kind::ComplexNumber)),
                _ => None,
            },
            "numpy" if name == "dtype" => Some(Global::Opaque(Kind::NumpyDtype)),
            "numpy.core.multiarray" | "numpy._core.multiarray" if name == "scalar" => {
                Some(Global::Opaque(Kind::NumpyScalar))
            }
            _ => None,
        };
        found.ok_or_else(|| Problem::ForbiddenGlobal {
            global: format!("{module}.{name}"),
        })
    }
}

const UNTYPED: Element = Element::Other(1, Kind::Untyped);

fn in_torch(name: &str) -> Option<Global> {
    if let Some(kind) = name.strip_suffix("Storage") {
        return storage(kind).map(Global::Storage);
    }
    Some(match name {
        "Size" => Global::Size,
        "device" => Global::Opaque(Kind::Device),
        "Tensor" => Global::Opaque(Kind::Ancient),
        "per_tensor_affine"
        | "per_tensor_symmetric"
        | "per_channel_affine"
        | "per_channel_symmetric"
        | "per_channel_affine_float_qparams" => Global::Opaque(Kind::Scheme),
        _ => Global::Dtype(dtype(name)?),
    })
}

/// The elements of `torch.KINDStorage`.
fn storage(kind: &str) -> Option<Element> {
    Some(match kind {
        "Double" => Element::Plain(Dtype::F64),
        "Float" => Element::Plain(Dtype::F32),
        "Half" => Element::Plain(Dtype::F16),
        "BFloat16" => Element::Plain(Dtype::Bf16),
        "Long" => Element::Plain(Dtype::I64),
        "Int" => Element::Plain(Dtype::I32),
        "Short" => Element::Plain(Dtype::I16),
        "Char" => Element::Plain(Dtype::I8),
        "Byte" => Element::Plain(Dtype::U8),
        "Bool" => Element::Plain(Dtype::Bool),
        "ComplexFloat" => Element::Other(8, Kind::Complex),
        "ComplexDouble" => Element::Other(16, Kind::Complex),
        "QUInt8" | "QInt8" | "QUInt4x2" | "QUInt2x4" => Element::Other(1, Kind::Quantised),
        "QInt32" => Element::Other(4, Kind::Quantised),
        "Untyped" => UNTYPED,
        _ => return None,
    })
}

/// The elements of tensors of `torch.NAME`.
fn dtype(name: &str) -> Option<Element> {
    Some(match name {
        "float64" | "double" => Element::Plain(Dtype::F64),
        "float32" | "float" => Element::Plain(Dtype::F32),
        "float16" | "half" => Element::Plain(Dtype::F16),
        "bfloat16" => Element::Plain(Dtype::Bf16),
        "int64" | "long" => Element::Plain(Dtype::I64),
        "int32" | "int" => Element::Plain(Dtype::I32),
        "int16" | "short" => Element::Plain(Dtype::I16),
        "int8" => Element::Plain(Dtype::I8),
        "uint32" => Element::Plain(Dtype::U32),
        "uint16" => Element::Plain(Dtype::U16),
        "uint8" => Element::Plain(Dtype::U8),
        "bool" => Element::Plain(Dtype::Bool),
        "uint64" => Element::Other(8, Kind::U64),
        "complex32" => Element::Other(4, Kind::Complex),
        "complex64" | "cfloat" => Element::Other(8, Kind::Complex),
        "complex128" | "cdouble" => Element::Other(16, Kind::Complex),
        "quint8" | "qint8" | "quint4x2" | "quint2x4" => Element::Other(1, Kind::Quantised),
        "qint32" => Element::Other(4, Kind::Quantised),
        _ if name.starts_with("float8_") => Element::Other(1, Kind::F8),
        _ if name.starts_with("float4_") => Element::Other(1, Kind::F4),
        "bits8" | "bits1x8" | "bits2x4" | "bits4x2" => Element::Other(1, Kind::Bits),
        "bits16" => Element::Other(2, Kind::Bits),
        // Integers of 1 to 7 bits, which PyTorch keeps in bytes.
        _ if ["int", "uint"].iter().any(|start| {
            name.strip_prefix(start)
                .is_some_and(|bits| matches!(bits.as_bytes(), [b'1'..=b'7']))
        }) =>
        {
            Element::Other(1, Kind::SmallInt)
        }
        _ => return None,
    })
}

fn in_utils(name: &str) -> Option<Global> {
    let tensor = Global::Opaque;
    Some(match name {
        "_rebuild_tensor" => Global::RebuildTensor,
        "_rebuild_tensor_v2" => Global::RebuildTensorV2,
        "_rebuild_tensor_v3" => Global::RebuildTensorV3,
        "_rebuild_parameter" | "_rebuild_parameter_with_state" => Global::Parameter,
        "_rebuild_qtensor" => tensor(Kind::Quantised),
        "_rebuild_sparse_tensor" => tensor(Kind::Sparse),
        "_rebuild_nested_tensor" => tensor(Kind::Nested),
        "_rebuild_meta_tensor_no_storage" => tensor(Kind::Meta),
        "_rebuild_wrapper_subclass" => tensor(Kind::Subclass),
        "_rebuild_device_tensor_from_numpy" | "_rebuild_device_tensor_from_cpu_tensor" => tensor(Kind::OtherDevice),
        _ => return None,
    })
}
