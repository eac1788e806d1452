//! MATLAB 5 files, read with suspicion and only as far as one struct of numbers, or two variables, need.
//!
//! Source: "MAT-File Format", The MathWorks, chapter 1, level 5. A file is a header of 128 bytes and elements:
//!
//! ```text
//! element   type u32 | length u32 | data, padded to 8 bytes          (a compressed element isn't padded)
//! or small  type u16 | length u16 | up to 4 bytes of data
//! matrix    flags | dimensions | name | for a struct: length of a field name, names, a matrix for every field
//!                                     | for numbers: the numbers, in a type that may be smaller than the matrix's
//! ```
//!
//! A compressed element is a zlib stream of one matrix, whose checksum is verified. Nothing is read into memory but
//! what is wanted, and memory grows with what really arrives, never by what a length promises.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;

mod error;
mod numbers;
mod stream;

pub use error::{MatError, MatFault};

use numbers::read_numbers;
use stream::Stream;

/// Bytes of the file's header.
const HEADER: usize = 128;
/// The most bytes that one byte of a deflate stream can stand for (258 in two bits, rounded up).
const MAX_DEFLATE_RATIO: u64 = 1032;
/// The most dimensions that a matrix may have; those wanted here have four at most.
const MAX_DIMENSIONS: u64 = 8;
/// The longest name of a variable or field.
const MAX_NAME: u64 = 64;
/// The most fields of a struct.
const MAX_FIELDS: u64 = 256;

/// Element types.
mod kind {
    pub(super) const INT8: u32 = 1;
    pub(super) const INT32: u32 = 5;
    pub(super) const UINT32: u32 = 6;
    pub(super) const MATRIX: u32 = 14;
    pub(super) const COMPRESSED: u32 = 15;
}

/// The class of a struct matrix, and of the first and the last of numbers.
const STRUCT: u8 = 2;
const NUMBERS: std::ops::RangeInclusive<u8> = 6..=15;
/// The flag of complex numbers.
const COMPLEX: u8 = 0x08;

/// A field of a struct, or a variable, to be read.
pub(super) struct Wanted<'a> {
    /// Its name.
    pub(super) field: &'static str,
    /// How many numbers of it to keep, given its dimensions.
    pub(super) plan: &'a dyn Fn(&[u64]) -> Result<u64, MatFault>,
}

/// A field that was read.
pub(super) struct Field {
    /// Rows, columns, and further dimensions, as declared.
    pub(super) dims: Vec<u64>,
    /// The first numbers, column by column.
    pub(super) values: Vec<u8>,
}

/// Reads two fields of the struct `variable` from a file of `len` bytes.
pub(super) fn read_struct(
    source: impl Read,
    len: u64,
    variable: &'static str,
    wanted: [Wanted<'_>; 2],
) -> Result<[Field; 2], MatFault> {
    let mut found = None;
    each_matrix(source, len, &mut |stream, end| {
        found = in_matrix(stream, end, variable, &wanted)?;
        Ok(match found {
            Some(_) => Look::Done,
            None => Look::Passed,
        })
    })?;
    found.ok_or(MatFault::NoVariable { name: variable })
}

/// Reads two variables of numbers from a file of `len` bytes.
pub(super) fn read_variables(source: impl Read, len: u64, wanted: [Wanted<'_>; 2]) -> Result<[Field; 2], MatFault> {
    let mut found = [None, None];
    each_matrix(source, len, &mut |stream, end| {
        let outer = stream.narrow(end);
        let matrix = matrix_header(stream)?;
        let of_name = |wanted: &Wanted| wanted.field.as_bytes() == matrix.name;
        let place = wanted.iter().position(of_name).filter(|&place| found[place].is_none());
        if let Some(place) = place {
            found[place] = Some(numbers_of(stream, matrix, &wanted[place])?);
        }
        stream.widen(outer);
        Ok(match (place, &found) {
            (None, _) => Look::Passed,
            (_, [Some(_), Some(_)]) => Look::Done,
            _ => Look::Read,
        })
    })?;
    match (found, wanted) {
        ([Some(one), Some(two)], _) => Ok([one, two]),
        ([None, _], [absent, _]) | (_, [_, absent]) => Err(MatFault::NoVariable { name: absent.field }),
    }
}

/// What came of looking at a matrix.
enum Look {
    /// Nothing was wanted of it.
    Passed,
    /// It was read.
    Read,
    /// It was read, and there is nothing else to be read.
    Done,
}

/// Looks at the matrices of a file of `len` bytes, one after the other, until all that is wanted has been read; `look`
/// is given a stream that stands at a matrix, and where this ends.
fn each_matrix(
    source: impl Read,
    len: u64,
    look: &mut dyn FnMut(&mut Stream<'_>, u64) -> Result<Look, MatFault>,
) -> Result<(), MatFault> {
    let mut source = source;
    let mut file = Stream::new(&mut source, len);
    check_header(&file.array::<HEADER>()?)?;
    while !file.is_at_end() {
        let tag = file.tag()?;
        let end = file.end_of(&tag)?;
        let found = match tag.kind {
            kind::COMPRESSED => {
                let found = {
                    let mut unpacked = ZlibDecoder::new(file.part(tag.len));
                    let most = tag.len.saturating_mul(MAX_DEFLATE_RATIO);
                    let mut inner = Stream::new(&mut unpacked, most);
                    let found = in_compressed(&mut inner, look).map_err(zlib_fault)?;
                    // The checksum comes after everything else.
                    if !matches!(found, Look::Passed) {
                        inner.skip_all().map_err(zlib_fault)?;
                    }
                    found
                };
                // The unpacker may have left bytes of the element.
                file.skip_to(end)?;
                found
            }
            kind::MATRIX => {
                let found = look(&mut file, end)?;
                if !matches!(found, Look::Done) {
                    file.skip_to_padded(end)?;
                }
                found
            }
            _ => {
                file.skip_to_padded(end)?;
                Look::Passed
            }
        };
        if matches!(found, Look::Done) {
            return Ok(());
        }
    }
    Ok(())
}

fn check_header(header: &[u8; HEADER]) -> Result<(), MatFault> {
    let version = u16::from_le_bytes([header[124], header[125]]);
    match (&header[126..], version) {
        (b"IM", 0x0100) => Ok(()),
        (b"IM", 0x0200) => Err(MatFault::Hdf5),
        (b"MI", _) => Err(MatFault::BigEndian),
        _ => Err(MatFault::NotMat5),
    }
}

fn in_compressed(
    inner: &mut Stream<'_>,
    look: &mut dyn FnMut(&mut Stream<'_>, u64) -> Result<Look, MatFault>,
) -> Result<Look, MatFault> {
    let tag = inner.tag()?;
    if tag.kind != kind::MATRIX {
        return Err(MatFault::UnexpectedElement { kind: tag.kind });
    }
    let end = inner.end_of(&tag)?;
    look(inner, end)
}

/// The fields, if the matrix that ends at `end` is the struct that is looked for.
fn in_matrix(
    stream: &mut Stream<'_>,
    end: u64,
    variable: &str,
    wanted: &[Wanted<'_>; 2],
) -> Result<Option<[Field; 2]>, MatFault> {
    let outer = stream.narrow(end);
    let matrix = matrix_header(stream)?;
    if matrix.name != variable.as_bytes() {
        stream.widen(outer);
        return Ok(None);
    }
    if matrix.class != STRUCT || matrix.dims.iter().any(|&dim| dim != 1) {
        return Err(MatFault::NotOneStruct);
    }
    let [one, two] = wanted;
    let mut found = [None, None];
    for name in field_names(stream)? {
        let tag = stream.tag()?;
        if tag.kind != kind::MATRIX {
            return Err(MatFault::UnexpectedElement { kind: tag.kind });
        }
        let end = stream.end_of(&tag)?;
        for (wanted, found) in [one, two].into_iter().zip(&mut found) {
            if name == wanted.field.as_bytes() && found.is_none() {
                *found = Some(numeric_field(stream, end, wanted)?);
            }
        }
        stream.skip_to_padded(end)?;
    }
    match found {
        [Some(one), Some(two)] => Ok(Some([one, two])),
        [None, _] => Err(MatFault::NoField { name: one.field }),
        [_, None] => Err(MatFault::NoField { name: two.field }),
    }
}

fn numeric_field(stream: &mut Stream<'_>, end: u64, wanted: &Wanted<'_>) -> Result<Field, MatFault> {
    let outer = stream.narrow(end);
    let matrix = matrix_header(stream)?;
    let field = numbers_of(stream, matrix, wanted)?;
    stream.widen(outer);
    Ok(field)
}

/// The numbers of the matrix whose header was read last.
fn numbers_of(stream: &mut Stream<'_>, matrix: MatrixHeader, wanted: &Wanted<'_>) -> Result<Field, MatFault> {
    if !NUMBERS.contains(&matrix.class) || matrix.flags & COMPLEX != 0 {
        return Err(MatFault::NotNumbers { field: wanted.field });
    }
    let keep = (wanted.plan)(&matrix.dims)?;
    let count = matrix.dims.iter().product();
    let values = read_numbers(stream, wanted.field, count, keep)?;
    Ok(Field {
        dims: matrix.dims,
        values,
    })
}

struct MatrixHeader {
    class: u8,
    flags: u8,
    dims: Vec<u64>,
    name: Vec<u8>,
}

fn matrix_header(stream: &mut Stream<'_>) -> Result<MatrixHeader, MatFault> {
    let flags = stream.small_element(kind::UINT32, 8)?;
    let [class, flags, ..] = flags[..] else {
        return Err(MatFault::UnexpectedElement { kind: kind::UINT32 });
    };
    let dims = stream.small_element(kind::INT32, 4 * MAX_DIMENSIONS)?;
    let dims = dims.as_chunks::<4>().0.iter().map(|&bytes| {
        let dim = i32::from_le_bytes(bytes);
        u64::try_from(dim).map_err(|_| MatFault::NegativeDimension { dim })
    });
    Ok(MatrixHeader {
        class,
        flags,
        dims: dims.collect::<Result<_, _>>()?,
        name: stream.small_element(kind::INT8, MAX_NAME)?,
    })
}

/// The names of a struct's fields, in the order of the fields.
fn field_names(stream: &mut Stream<'_>) -> Result<Vec<Vec<u8>>, MatFault> {
    let len = stream.small_element(kind::INT32, 4)?;
    let len = len.first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
    if !(1..=MAX_NAME as i32).contains(&len) {
        return Err(MatFault::NameLength { len });
    }
    let names = stream.small_element(kind::INT8, MAX_FIELDS * len as u64)?;
    let until_zero = |name: &[u8]| name.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    Ok(names.chunks_exact(len as usize).map(until_zero).collect())
}

/// Read errors that the unpacking raised are the file's fault, not the system's.
fn zlib_fault(fault: MatFault) -> MatFault {
    match fault {
        MatFault::Io(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            MatFault::Zlib(error)
        }
        other => other,
    }
}
