//! A source that knows where it is and where it has to end.

use std::io::{self, Read};

use super::MatFault;

/// The head of an element.
pub(super) struct Tag {
    pub(super) kind: u32,
    pub(super) len: u64,
    /// The data of a small element, which follow in the tag itself.
    small: Option<[u8; 4]>,
}

/// A source that is read up to `end`, which is narrowed to the element that is being read.
pub(super) struct Stream<'a> {
    source: &'a mut dyn Read,
    position: u64,
    end: u64,
}

impl<'a> Stream<'a> {
    /// A source of `len` bytes at most.
    pub(super) fn new(source: &'a mut dyn Read, len: u64) -> Self {
        Stream {
            source,
            position: 0,
            end: len,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.end
    }

    /// Makes `end` the end, and returns the old one for [`widen`](Self::widen).
    pub(super) fn narrow(&mut self, end: u64) -> u64 {
        std::mem::replace(&mut self.end, end)
    }

    pub(super) fn widen(&mut self, end: u64) {
        self.end = end;
    }

    /// The next `len` bytes, for someone else to read; reading less is made up for by [`skip_to`](Self::skip_to).
    pub(super) fn part(&mut self, len: u64) -> impl Read {
        Part {
            position: &mut self.position,
            source: (&mut *self.source).take(len),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], MatFault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes`, which must lie before the end.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), MatFault> {
        if bytes.len() as u64 > self.end - self.position.min(self.end) {
            return Err(MatFault::Truncated { at: self.position });
        }
        self.source.read_exact(bytes).map_err(|error| self.fault(error))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn tag(&mut self) -> Result<Tag, MatFault> {
        let [a, b, c, d, tail @ ..] = self.array::<8>()?;
        let (kind, len) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        if len == 0 {
            return Ok(Tag {
                kind: u32::from(kind),
                len: u64::from(u32::from_le_bytes(tail)),
                small: None,
            });
        }
        if len > 4 {
            return Err(MatFault::UnexpectedElement {
                kind: u32::from_le_bytes([a, b, c, d]),
            });
        }
        Ok(Tag {
            kind: u32::from(kind),
            len: u64::from(len),
            small: Some(tail),
        })
    }

    /// Where the data of an element that has just begun end.
    pub(super) fn end_of(&self, tag: &Tag) -> Result<u64, MatFault> {
        let end = match tag.small {
            Some(_) => self.position,
            None => self.position + tag.len,
        };
        if end > self.end {
            return Err(MatFault::Overrun {
                at: self.position,
                declared: tag.len,
                left: self.end - self.position,
            });
        }
        Ok(end)
    }

    /// The data of an element of type `kind` and of `most` bytes at most, in memory.
    pub(super) fn small_element(&mut self, kind: u32, most: u64) -> Result<Vec<u8>, MatFault> {
        let tag = self.tag()?;
        if tag.kind != kind || tag.len > most {
            return Err(MatFault::UnexpectedElement { kind: tag.kind });
        }
        let end = self.end_of(&tag)?;
        if let Some(data) = tag.small {
            return Ok(data[..tag.len as usize].to_vec());
        }
        let mut data = vec![0; tag.len as usize];
        self.fill(&mut data)?;
        self.skip_to_padded(end)?;
        Ok(data)
    }

    /// Begins the data of an element of numbers: its type, its length, and its data if it is small.
    pub(super) fn numbers(&mut self) -> Result<(u32, u64, Option<[u8; 4]>), MatFault> {
        let tag = self.tag()?;
        self.end_of(&tag)?;
        Ok((tag.kind, tag.len, tag.small))
    }

    /// Passes over everything before `end`.
    pub(super) fn skip_to(&mut self, end: u64) -> Result<(), MatFault> {
        let left = end.saturating_sub(self.position);
        let skipped = io::copy(&mut (&mut *self.source).take(left), &mut io::sink());
        let skipped = skipped.map_err(|error| self.fault(error))?;
        self.position += skipped;
        if skipped < left {
            return Err(MatFault::Truncated { at: self.position });
        }
        Ok(())
    }

    /// Passes over whatever the source still has.
    pub(super) fn skip_all(&mut self) -> Result<(), MatFault> {
        let skipped = io::copy(self.source, &mut io::sink()).map_err(|error| self.fault(error))?;
        self.position += skipped;
        Ok(())
    }

    /// Passes over everything before `end` and the padding after it, as far as there is any.
    pub(super) fn skip_to_padded(&mut self, end: u64) -> Result<(), MatFault> {
        self.skip_to(end.next_multiple_of(8).min(self.end.max(end)))
    }

    fn fault(&self, error: io::Error) -> MatFault {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => MatFault::Truncated { at: self.position },
            _ => MatFault::Io(error),
        }
    }
}

/// Some bytes of a stream, counted as they are read.
struct Part<'p, R> {
    position: &'p mut u64,
    source: R,
}

impl<R: Read> Read for Part<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        *self.position += read as u64;
        Ok(read)
    }
}
