//! TIFF pictures whose pixels are places in a table of colours (TIFF 6.0, "Palette-color Images"), which the decoder
//! doesn't know: it is shown a grey picture of the places, and the colours are put in afterwards.

use std::borrow::Cow;

use image::{ColorType, ImageDecoder, ImageResult, Limits, metadata::Orientation};

const BITS: u16 = 258;
const INTERPRETATION: u16 = 262;
const SAMPLES: u16 = 277;
const COLOURS: u16 = 320;
/// Interpretations: dark to bright, and by a table.
const GREY: u16 = 1;
const PALETTE: u16 = 3;

/// The colours of places, of which there are 2 or 256.
type Table = Vec<[u8; 3]>;

/// The bytes of a picture that the decoder knows, with the colours of its levels if they are places; any other file
/// stays as it is.
pub(super) fn without_palette(bytes: Cow<[u8]>) -> (Cow<[u8]>, Option<Table>) {
    match palette(&bytes) {
        Some((at, interpretation, table)) => {
            let mut bytes = bytes.into_owned();
            bytes[at..at + 2].copy_from_slice(&interpretation);
            (Cow::Owned(bytes), Some(table))
        }
        None => (bytes, None),
    }
}

/// Where to write another interpretation, which, and the table.
fn palette(bytes: &[u8]) -> Option<(usize, [u8; 2], Table)> {
    let little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    };
    let long = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        } as usize)
    };
    let directory = long(4)?;
    let entry = |tag: u16| {
        let entries = 0..usize::from(short(directory)?);
        let mut places = entries.map(|number| directory + 2 + 12 * number);
        places.find(|&at| short(at) == Some(tag))
    };
    let interpretation = entry(INTERPRETATION)? + 8;
    let bits = entry(BITS).map_or(Some(1), |at| short(at + 8))?;
    let samples = entry(SAMPLES).map_or(Some(1), |at| short(at + 8))?;
    if short(interpretation)? != PALETTE || samples != 1 || ![1, 8].contains(&bits) {
        return None;
    }
    let colours = entry(COLOURS)?;
    let (count, start) = (1 << bits, long(colours + 8)?);
    if long(colours + 4)? != 3 * count {
        return None;
    }
    // All reds, then all greens, then all blues, of 16 bits.
    let level = |channel: usize, place: usize| short(start + 2 * (channel * count + place)).map(|level| level >> 8);
    let table: Option<Table> = (0..count)
        .map(|place| Some([level(0, place)? as u8, level(1, place)? as u8, level(2, place)? as u8]))
        .collect();
    let grey = if little { GREY.to_le_bytes() } else { GREY.to_be_bytes() };
    Some((interpretation, grey, table?))
}

/// A decoder whose levels are places in a table, if there is one.
pub(super) struct Coloured<D> {
    pub(super) decoder: D,
    pub(super) table: Option<Table>,
}

impl<D: ImageDecoder> ImageDecoder for Coloured<D> {
    fn dimensions(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    fn color_type(&self) -> ColorType {
        match self.table {
            Some(_) => ColorType::Rgb8,
            None => self.decoder.color_type(),
        }
    }

    fn exif_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        self.decoder.exif_metadata()
    }

    fn orientation(&mut self) -> ImageResult<Orientation> {
        self.decoder.orientation()
    }

    fn set_limits(&mut self, limits: Limits) -> ImageResult<()> {
        self.decoder.set_limits(limits)
    }

    fn read_image(self, pixels: &mut [u8]) -> ImageResult<()> {
        let Some(table) = self.table else {
            return self.decoder.read_image(pixels);
        };
        let mut places = vec![0; self.decoder.total_bytes() as usize];
        self.decoder.read_image(&mut places)?;
        // One bit is black or white to the decoder.
        let places = places.iter().map(|&place| match table.len() {
            2 => usize::from(place > 127),
            _ => usize::from(place),
        });
        for (pixel, place) in pixels.chunks_exact_mut(3).zip(places) {
            pixel.copy_from_slice(&table[place]);
        }
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(pixels)
    }
}
