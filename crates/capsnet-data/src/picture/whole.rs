//! Whether a picture file is there to its end.
//!
//! Decoders are made for pages that are still loading: they fill what is missing with grey and call it a picture. Here
//! the container is walked through instead, block by block, without decoding anything.

use image::ImageFormat;

use super::PictureFault;

/// Refuses a file that ends before its format says it does. Bytes after the end are nobody's business.
pub(super) fn check_whole(bytes: &[u8], format: ImageFormat) -> Result<(), PictureFault> {
    let (format, whole, missing) = match format {
        ImageFormat::Png => ("PNG", png(bytes), "its end chunk (IEND) is missing"),
        ImageFormat::Jpeg => ("JPEG", jpeg(bytes), "its end marker (FFD9) is missing"),
        ImageFormat::Gif => ("GIF", gif(bytes), "its trailer (3B) is missing"),
        ImageFormat::WebP => ("WebP", webp(bytes), "it is shorter than its header says"),
        ImageFormat::Bmp => ("BMP", bmp(bytes), "it is shorter than its header says"),
        // The first page's strips may lie anywhere; its decoder reads them by their offsets, and fails where they
        // aren't.
        ImageFormat::Tiff => ("TIFF", further_pages(bytes), "a page after the first is cut off"),
        _ => return Ok(()),
    };
    match whole {
        Some(()) => Ok(()),
        None => Err(PictureFault::Truncated { format, missing }),
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// More pages are not followed.
const MOST_PAGES: usize = 1000;

/// Directories of fields, each with the place of the next, and the strips or tiles that those after the first name.
fn further_pages(bytes: &[u8]) -> Option<()> {
    let little = bytes.starts_with(b"II");
    let short = |at: usize| {
        let read = if little { u16::from_le_bytes } else { u16::from_be_bytes };
        number(bytes, at).map(read).map(usize::from)
    };
    let long = |at: usize| {
        let read = if little { u32::from_le_bytes } else { u32::from_be_bytes };
        number(bytes, at).map(read).map(|number| number as usize)
    };
    if short(2)? != 42 {
        // Another kind, with longer numbers, which is not read.
        return Some(());
    }
    let mut directory = long(4)?;
    for page in 0..MOST_PAGES {
        if directory == 0 {
            break;
        }
        let fields = short(directory)?;
        let (mut starts, mut lengths) = (Vec::new(), Vec::new());
        for field in (0..fields)
            .map(|field| directory + 2 + 12 * field)
            .take_while(|_| page > 0)
        {
            let numbers = match short(field)? {
                273 | 324 => &mut starts,
                279 | 325 => &mut lengths,
                _ => continue,
            };
            let (count, size) = (long(field + 4)?, if short(field + 2)? == 3 { 2 } else { 4 });
            let inside = count.checked_mul(size)? <= 4;
            let first = if inside { field + 8 } else { long(field + 8)? };
            bytes.get(..first.checked_add(count * size)?)?;
            for at in (0..count).map(|number| first + size * number) {
                numbers.push(if size == 2 { short(at)? } else { long(at)? });
            }
        }
        for (start, length) in starts.into_iter().zip(lengths) {
            bytes.get(..start.checked_add(length)?)?;
        }
        directory = long(directory + 2 + 12 * fields)?;
    }
    Some(())
}

/// Chunks of length, type, data and checksum, until IEND.
fn png(bytes: &[u8]) -> Option<()> {
    let mut at: usize = 8;
    loop {
        let length = u32::from_be_bytes(number(bytes, at)?) as usize;
        let end = at.checked_add(12)?.checked_add(length)?;
        let kind = bytes.get(at + 4..at + 8)?;
        bytes.get(..end)?;
        if kind == b"IEND" {
            return Some(());
        }
        at = end;
    }
}

/// Segments with their lengths; after a start of scan, compressed data up to the next marker that isn't part of them.
fn jpeg(bytes: &[u8]) -> Option<()> {
    const END: u8 = 0xD9;
    const SCAN: u8 = 0xDA;
    let mut at: usize = 2;
    loop {
        // Fill bytes and what compressed data there is: 00 is a stuffed byte, D0 to D7 are restarts.
        let marker = loop {
            let rest = bytes.get(at..)?;
            at += rest.iter().position(|&byte| byte == 0xFF)? + 1;
            match *bytes.get(at)? {
                0xFF => {}
                0x00 | 0x01 | 0xD0..=0xD8 => at += 1,
                marker => break marker,
            }
        };
        if marker == END {
            return Some(());
        }
        let length = u16::from_be_bytes(number(bytes, at + 1)?) as usize;
        at += 1 + length;
        if marker == SCAN {
            bytes.get(..at)?;
        }
    }
}

/// A screen, then extensions and images, each of sub-blocks that end with an empty one, until the trailer.
fn gif(bytes: &[u8]) -> Option<()> {
    let colours = |flags: u8| {
        if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
    };
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3B => return Some(()),
            0x21 => at += 2,
            0x2C => at += 11 + colours(*bytes.get(at + 9)?),
            // Not a block: the decoder has the say.
            _ => return Some(()),
        }
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}

fn webp(bytes: &[u8]) -> Option<()> {
    let length = u32::from_le_bytes(number(bytes, 4)?) as usize;
    bytes.get(..length.checked_add(8)?).map(|_| ())
}

/// The rows of an uncompressed picture; of a compressed one the length that it gives.
fn bmp(bytes: &[u8]) -> Option<()> {
    let word = |at| number(bytes, at).map(u32::from_le_bytes);
    let start = u64::from(word(10)?);
    let header = word(14)?;
    let (width, height, bits, compression) = match header {
        12 => {
            let half = |at| number(bytes, at).map(|pair| u64::from(u16::from_le_bytes(pair)));
            (half(18)?, half(20)?, half(24)?, 0)
        }
        _ => {
            let side = |at| word(at).map(|side| u64::from((side as i32).unsigned_abs()));
            let bits = u64::from(u16::from_le_bytes(number(bytes, 28)?));
            (side(18)?, side(22)?, bits, word(30)?)
        }
    };
    let data = match compression {
        1 | 2 => u64::from(word(34)?),
        _ => ((width * bits).div_ceil(32) * 4).saturating_mul(height),
    };
    (bytes.len() as u64 >= start.saturating_add(data)).then_some(())
}
