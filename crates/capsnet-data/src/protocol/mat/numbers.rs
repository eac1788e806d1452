//! The numbers of a matrix, in whatever type they are stored, as small whole numbers.

use super::MatFault;
use super::stream::Stream;

/// Bytes that are converted at a time; a multiple of every number's size.
const CHUNK: usize = 8192;

/// How a number is stored.
#[derive(Clone, Copy)]
enum Storage {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

impl Storage {
    fn of(kind: u32) -> Option<Self> {
        Some(match kind {
            1 => Storage::I8,
            2 => Storage::U8,
            3 => Storage::I16,
            4 => Storage::U16,
            5 => Storage::I32,
            6 => Storage::U32,
            7 => Storage::F32,
            9 => Storage::F64,
            12 => Storage::I64,
            13 => Storage::U64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Storage::I8 | Storage::U8 => 1,
            Storage::I16 | Storage::U16 => 2,
            Storage::I32 | Storage::U32 | Storage::F32 => 4,
            Storage::F64 | Storage::I64 | Storage::U64 => 8,
        }
    }

    /// The number in `bytes`, of which there are [`size`](Self::size), if it is whole and within 0..=255.
    fn small(self, bytes: &[u8]) -> Option<u8> {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        let [a, b, c, d, ..] = whole;
        let from_double = |value: f64| (value == f64::from(value as u8)).then_some(value as u8);
        match self {
            Storage::U8 => Some(a),
            Storage::I8 => u8::try_from(a as i8).ok(),
            Storage::I16 => u8::try_from(i16::from_le_bytes([a, b])).ok(),
            Storage::U16 => u8::try_from(u16::from_le_bytes([a, b])).ok(),
            Storage::I32 => u8::try_from(i32::from_le_bytes([a, b, c, d])).ok(),
            Storage::U32 => u8::try_from(u32::from_le_bytes([a, b, c, d])).ok(),
            Storage::I64 => u8::try_from(i64::from_le_bytes(whole)).ok(),
            Storage::U64 => u8::try_from(u64::from_le_bytes(whole)).ok(),
            Storage::F32 => from_double(f64::from(f32::from_le_bytes([a, b, c, d]))),
            Storage::F64 => from_double(f64::from_le_bytes(whole)),
        }
    }
}

/// Reads the first `keep` of `count` numbers, which come next in the stream.
pub(super) fn read_numbers(
    stream: &mut Stream<'_>,
    field: &'static str,
    count: u64,
    keep: u64,
) -> Result<Vec<u8>, MatFault> {
    let (kind, len, small) = stream.numbers()?;
    let storage = Storage::of(kind).ok_or(MatFault::UnexpectedElement { kind })?;
    // At most 2^31 numbers, so that this can't overflow.
    if len != count * storage.size() as u64 {
        return Err(MatFault::WrongLength { field, count, len });
    }
    let mut values = Vec::new();
    let mut convert = |bytes: &[u8]| {
        if let Storage::U8 = storage {
            values.extend_from_slice(bytes);
            return Ok(());
        }
        for number in bytes.chunks_exact(storage.size()) {
            let value = storage.small(number).ok_or(MatFault::NotSmall {
                field,
                index: values.len(),
            })?;
            values.push(value);
        }
        Ok(())
    };
    let mut left = keep.min(count) * storage.size() as u64;
    if let Some(data) = small {
        convert(&data[..left as usize])?;
        left = 0;
    }
    let mut chunk = [0; CHUNK];
    while left > 0 {
        let chunk = &mut chunk[..left.min(CHUNK as u64) as usize];
        stream.fill(chunk)?;
        convert(chunk)?;
        left -= chunk.len() as u64;
    }
    values.shrink_to_fit();
    Ok(values)
}
