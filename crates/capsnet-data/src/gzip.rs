//! gzip, read as the program of that name reads it: several streams one after the other are one, zero bytes behind the
//! last are passed over, and anything else behind it is ignored, with a remark.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// The first two bytes of a gzip stream.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The most bytes that one byte of a deflate stream can stand for (258 in two bits, rounded up).
pub(crate) const MAX_DEFLATE_RATIO: u64 = 1032;

/// The most memory that the content of a packed file of so many bytes may take: files of images shrink to a third or
/// a tenth, and what shrinks to less than this is a file that was made to fill memory, or one to be unpacked first.
pub(crate) const fn most_unpacked(stored: u64) -> u64 {
    stored.saturating_mul(14).saturating_add(48 << 20)
}

/// The most that labels may take, once each is a byte: there are others beside them, and the images.
pub(crate) const fn most_labels(stored: u64) -> u64 {
    stored.saturating_add(1 << 20)
}

/// A source that may be gzipped, which its first two bytes tell.
pub(crate) enum Plain<R> {
    /// As it is.
    Raw(Peeked<BufReader<R>>),
    /// Unpacked on the way.
    Gzip(Gunzip<BufReader<R>>),
}

impl<R: Read> Plain<R> {
    /// Looks at the first two bytes.
    pub(crate) fn new(source: R) -> io::Result<Self> {
        let mut source = Peeked::new(BufReader::with_capacity(1 << 16, source));
        Ok(if source.peek()? == MAGIC {
            Self::Gzip(Gunzip::new(source))
        } else {
            Self::Raw(source)
        })
    }

    /// Whether it is unpacked.
    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// Whether something was found behind the gzip stream that is none; known once all was read.
    pub(crate) fn has_garbage(&self) -> bool {
        matches!(self, Self::Gzip(gzip) if gzip.garbage)
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw(source) => source.read(buffer),
            Self::Gzip(source) => source.read(buffer),
        }
    }
}

/// The content of the gzip streams of a source.
pub(crate) struct Gunzip<R> {
    /// The stream that is being read; none at the end.
    member: Option<GzDecoder<Peeked<R>>>,
    garbage: bool,
}

impl<R: BufRead> Gunzip<R> {
    fn new(source: Peeked<R>) -> Self {
        Self {
            member: Some(GzDecoder::new(source)),
            garbage: false,
        }
    }

    /// What comes behind a stream.
    fn next_member(&mut self, mut rest: Peeked<R>) -> io::Result<()> {
        if rest.peek()? == MAGIC {
            self.member = Some(GzDecoder::new(rest));
            return Ok(());
        }
        loop {
            let bytes = rest.fill_buf()?;
            let len = bytes.len();
            if len == 0 {
                return Ok(());
            }
            if bytes.iter().any(|&byte| byte != 0) {
                self.garbage = true;
                return Ok(());
            }
            rest.consume(len);
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if let Some(ended) = self.member.take() {
                self.next_member(ended.into_inner())?;
            }
        }
        Ok(0)
    }
}

/// A source whose next two bytes can be looked at.
pub(crate) struct Peeked<R> {
    head: Vec<u8>,
    at: usize,
    rest: R,
}

impl<R: BufRead> Peeked<R> {
    fn new(rest: R) -> Self {
        Self {
            head: Vec::with_capacity(2),
            at: 0,
            rest,
        }
    }

    /// The next two bytes, or fewer at the end; they are still to be read.
    fn peek(&mut self) -> io::Result<&[u8]> {
        self.head.drain(..self.at);
        self.at = 0;
        let missing = 2 - self.head.len();
        (&mut self.rest).take(missing as u64).read_to_end(&mut self.head)?;
        Ok(&self.head)
    }
}

impl<R: BufRead> BufRead for Peeked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &self.head[self.at..] {
            [] => self.rest.fill_buf(),
            _ => Ok(&self.head[self.at..]),
        }
    }

    fn consume(&mut self, count: usize) {
        if self.at < self.head.len() {
            self.at += count;
        } else {
            self.rest.consume(count);
        }
    }
}

impl<R: BufRead> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.head.len() {
            return self.rest.read(buffer);
        }
        let count = (&self.head[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read, and whether there was garbage; a byte at a time, so that every boundary is met.
    fn read(bytes: &[u8]) -> io::Result<(Vec<u8>, bool)> {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let most = buffer.len().min(1);
                self.0.read(&mut buffer[..most])
            }
        }
        let mut plain = Plain::new(Slow(bytes))?;
        let mut content = Vec::new();
        plain.read_to_end(&mut content)?;
        Ok((content, plain.has_garbage()))
    }

    #[test]
    fn what_gzip_reads_is_read() {
        let one = packed(b"one");
        assert_eq!(read(&one).unwrap(), (b"one".to_vec(), false));
        assert_eq!(read(b"plain").unwrap(), (b"plain".to_vec(), false));
        assert_eq!(read(b"p").unwrap(), (b"p".to_vec(), false));
        assert_eq!(read(b"").unwrap(), (vec![], false));
        let two = [one.clone(), packed(b" two")].concat();
        assert_eq!(read(&two).unwrap(), (b"one two".to_vec(), false));
        for zeros in [1, 2, 512] {
            let padded = [one.clone(), vec![0; zeros]].concat();
            assert_eq!(read(&padded).unwrap(), (b"one".to_vec(), false));
        }
        for garbage in [&b"x"[..], b"xyz", b"\0\0x", b"\x1f"] {
            let tail = [one.clone(), garbage.to_vec()].concat();
            assert_eq!(read(&tail).unwrap(), (b"one".to_vec(), true), "{garbage:?}");
        }
    }

    #[test]
    fn what_gzip_refuses_is_refused() {
        let mut one = packed(b"one");
        assert!(read(&one[..one.len() - 1]).is_err());
        let checksum = one.len() - 8;
        one[checksum] ^= 1;
        assert!(read(&one).is_err());
        assert!(read(&[packed(b"one"), vec![0x1f, 0x8b]].concat()).is_err());
    }
}
