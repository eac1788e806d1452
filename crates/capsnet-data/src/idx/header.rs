//! The header of an IDX file: what it declares, and what of that is possible.

use std::io::Read;

use super::{IdxFault, Kind, MAX_ELEMENTS, MAX_SIDE, UNSIGNED_BYTE};

/// How the file lies on disk.
#[derive(Clone, Copy)]
pub(super) enum Stored {
    /// As it is, so many bytes.
    Raw(u64),
    /// Packed.
    Gzip,
}

/// The kind of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    I8,
    I16,
    I32,
}

impl Element {
    /// Whole numbers, which labels may be.
    fn of(code: u8) -> Option<Self> {
        match code {
            UNSIGNED_BYTE => Some(Self::U8),
            0x09 => Some(Self::I8),
            0x0b => Some(Self::I16),
            0x0c => Some(Self::I32),
            _ => None,
        }
    }

    /// Its bytes.
    pub(super) fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 => 4,
        }
    }

    /// The number in so many bytes.
    pub(super) fn whole(self, bytes: &[u8], little_endian: bool) -> i64 {
        let mut padded = [0; 4];
        padded[4 - bytes.len()..].copy_from_slice(bytes);
        if little_endian {
            padded[4 - bytes.len()..].reverse();
        }
        let [.., c, d] = padded;
        match self {
            Self::U8 => i64::from(d),
            Self::I8 => i64::from(d as i8),
            Self::I16 => i64::from(i16::from_be_bytes([c, d])),
            Self::I32 => i64::from(i32::from_be_bytes(padded)),
        }
    }
}

/// A header, checked but for what the length of the file allows.
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) dims: Vec<u32>,
    pub(super) little_endian: bool,
}

impl Header {
    /// Its own bytes.
    pub(super) fn len(&self) -> usize {
        4 + 4 * self.dims.len()
    }

    /// How many images or labels there are.
    pub(super) fn count(&self) -> u64 {
        self.dims.first().copied().unwrap_or(0).into()
    }

    /// The bytes of the elements.
    pub(super) fn bytes(&self) -> Result<u64, IdxFault> {
        // Four 32-bit factors fit in 128 bits.
        let declared: u128 = self.dims.iter().map(|&dim| u128::from(dim)).product();
        let bytes = declared.saturating_mul(self.element.size() as u128);
        match u64::try_from(bytes) {
            Ok(bytes) if bytes <= MAX_ELEMENTS => Ok(bytes),
            _ => Err(IdxFault::TooManyElements { declared }),
        }
    }

    /// Channels, height and width of an image, and whether the channels of a pixel lie side by side.
    pub(super) fn image_shape(&self) -> Result<([usize; 3], bool), IdxFault> {
        let sides = match self.dims[..] {
            [_, height, width] => Some(([1, height, width], false)),
            [_, height, width, channels @ (1 | 3)] => Some(([channels, height, width], true)),
            [_, channels @ (1 | 3), height, width] => Some(([channels, height, width], false)),
            _ => None,
        };
        let Some((shape, interleaved)) = sides else {
            return Err(IdxFault::NoChannels {
                dims: self.dims.clone(),
            });
        };
        let [_, height, width] = shape;
        if height > MAX_SIDE || width > MAX_SIDE {
            return Err(IdxFault::ImageTooLarge { height, width });
        }
        Ok((shape.map(|side| side as usize), interleaved))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
        }
    }

    /// The dimensions that such a file usually has.
    fn usual(self) -> u8 {
        match self {
            Self::Images => 3,
            Self::Labels => 1,
        }
    }

    fn allows(self, dimensions: u8) -> bool {
        match self {
            Self::Images => matches!(dimensions, 3 | 4),
            Self::Labels => matches!(dimensions, 1 | 2),
        }
    }

    /// What a dimension is called in messages.
    fn dimension(self, index: usize) -> &'static str {
        match (self, index) {
            (_, 0) => "count",
            (Self::Images, 1) => "height",
            (Self::Images, 2) => "width",
            (Self::Images, _) => "number of channels",
            (Self::Labels, _) => "number of columns",
        }
    }
}

/// Reads the header and checks everything in it but the product of the dimensions.
pub(super) fn read_header(source: &mut impl Read, kind: Kind, stored: Stored) -> Result<Header, IdxFault> {
    let mut magic = Vec::with_capacity(4);
    let mut read = |bytes: &mut Vec<u8>, count: usize| {
        source
            .by_ref()
            .take(count as u64)
            .read_to_end(bytes)
            .map_err(IdxFault::Io)
    };
    read(&mut magic, 4)?;
    let truncated = |found, dimensions: u8| IdxFault::TruncatedHeader {
        found,
        expected: 4 + 4 * usize::from(dimensions),
    };
    let Some(&magic) = magic.first_chunk::<4>() else {
        return Err(truncated(magic.len(), kind.usual()));
    };
    let (element, dimensions, little_endian) = check_magic(magic, kind)?;
    let mut sizes = Vec::with_capacity(16);
    let len = 4 * usize::from(dimensions);
    read(&mut sizes, len)?;
    if sizes.len() < len {
        return Err(truncated(4 + sizes.len(), dimensions));
    }
    let header = |little_endian: bool| {
        let whole = if little_endian {
            u32::from_le_bytes
        } else {
            u32::from_be_bytes
        };
        let dims = sizes.as_chunks::<4>().0.iter().map(|&bytes| whole(bytes)).collect();
        Header {
            element,
            dims,
            little_endian,
        }
    };
    let found = header(little_endian);
    let checked = check(&found, kind, stored);
    let other = header(true);
    // Some converters write the magic number as it should be and the sizes as their machine has them.
    if checked.is_err() && !little_endian && fits(&other, kind, stored) {
        return Ok(other);
    }
    checked.map(|()| found)
}

/// The element's kind, the number of dimensions, and whether the bytes are in the order that they should not be in.
fn check_magic(magic: [u8; 4], kind: Kind) -> Result<(Element, u8, bool), IdxFault> {
    let content = kind.name();
    let expected = u32::from_be_bytes([0, 0, UNSIGNED_BYTE, kind.usual()]);
    let (code, dimensions, little_endian) = match magic {
        [0, 0, 0, 0] => return Err(IdxFault::Zeros { content, expected }),
        [0, 0, code, dimensions] => (code, dimensions, false),
        [dimensions, code, 0, 0] => (code, dimensions, true),
        _ => (0, 0, false),
    };
    let element = Element::of(code).filter(|&element| kind == Kind::Labels || element == Element::U8);
    match (element, element_name(code)) {
        (Some(element), _) if kind.allows(dimensions) => Ok((element, dimensions, little_endian)),
        (Some(_), _) => Err(IdxFault::WrongDimensions {
            content,
            found: dimensions,
            expected: kind.usual(),
        }),
        (None, Some(name)) => Err(IdxFault::UnsupportedElement { code, name }),
        (None, None) => Err(IdxFault::WrongMagic {
            content,
            found: u32::from_be_bytes(magic),
            expected,
        }),
    }
}

fn element_name(code: u8) -> Option<&'static str> {
    match code {
        0x09 => Some("signed byte"),
        0x0b => Some("16-bit integer"),
        0x0c => Some("32-bit integer"),
        0x0d => Some("32-bit float"),
        0x0e => Some("64-bit float"),
        _ => None,
    }
}

fn check(header: &Header, kind: Kind, stored: Stored) -> Result<(), IdxFault> {
    if let Some(index) = header.dims.iter().position(|&dim| dim == 0) {
        let dimension = kind.dimension(index);
        return Err(IdxFault::ZeroDimension { dimension });
    }
    if kind == Kind::Images {
        header.image_shape()?;
    }
    let bytes = header.bytes()?;
    match stored {
        Stored::Raw(len) if len.saturating_sub(header.len() as u64) < bytes => Err(IdxFault::Truncated {
            found: len.saturating_sub(header.len() as u64),
            expected: bytes,
        }),
        _ => Ok(()),
    }
}

/// Whether a header is that of this very file.
fn fits(header: &Header, kind: Kind, stored: Stored) -> bool {
    let exact = match (stored, header.bytes()) {
        (Stored::Raw(len), Ok(bytes)) => len == header.len() as u64 + bytes,
        // The length of a packed file tells nothing, but sizes that are possible in this order alone do.
        (Stored::Gzip, Ok(_)) => kind == Kind::Images,
        (_, Err(_)) => false,
    };
    exact && check(header, kind, stored).is_ok()
}
