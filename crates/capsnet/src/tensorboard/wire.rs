//! The bytes of an event file: records of TensorFlow's format, whose contents are messages of Protocol Buffers.
//!
//! A record is its length (8 bytes, little-endian), a masked CRC-32C of these, the data, and a masked CRC-32C of the
//! data (`tensorflow/core/lib/io/record_writer.h`). The messages are those of TensorBoard's `event.proto`,
//! `summary.proto`, `histogram.proto` and `tensor.proto`; of the encoding only what they need is here.

/// Added to a checksum after it was turned (`tensorflow/core/lib/hash/crc32c.h`).
const MASK: u32 = 0xa282_ead8;
/// Wire types.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;
/// `DT_STRING` of `types.proto`.
const STRING: u64 = 7;

/// A message under way: fields are added in any order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u64, kind: u64) {
        self.raw_varint(field << 3 | kind);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn varint(&mut self, field: u64, value: u64) {
        self.key(field, VARINT);
        self.raw_varint(value);
    }

    pub(crate) fn double(&mut self, field: u64, value: f64) {
        self.key(field, FIXED_64);
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, field: u64, value: f32) {
        self.key(field, FIXED_32);
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, BYTES);
        self.raw_varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(crate) fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }

    fn doubles(&mut self, field: u64, values: impl Iterator<Item = f64>) {
        let packed: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
        self.bytes(field, &packed);
    }

    pub(crate) fn with_bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.bytes(field, bytes);
        self
    }

    pub(crate) fn with_message(mut self, field: u64, message: &Message) -> Self {
        self.message(field, message);
        self
    }
}

/// A message as a record of the file.
pub(crate) fn record(message: &Message) -> Vec<u8> {
    let data = &message.0;
    let length = (data.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(data.len() + 16);
    bytes.extend(length);
    bytes.extend(masked(&length).to_le_bytes());
    bytes.extend(data);
    bytes.extend(masked(data).to_le_bytes());
    bytes
}

fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(MASK)
}

/// `Summary.Value` of a number.
pub(crate) fn scalar(tag: &str, value: f64) -> Message {
    let mut message = tagged(tag);
    message.float(2, value as f32);
    message
}

/// `Summary.Value` of an image, PNG; height, width and channels.
pub(crate) fn image(tag: &str, [height, width, channels]: [usize; 3], png: &[u8]) -> Message {
    let mut image = Message::default();
    image.varint(1, height as u64);
    image.varint(2, width as u64);
    image.varint(3, channels as u64);
    image.bytes(4, png);
    tagged(tag).with_message(4, &image)
}

/// `Summary.Value` of a histogram whose bins begin at 0; each value counts as the middle of its bin.
pub(crate) fn histogram(tag: &str, bins: &[u64], width: f64) -> Message {
    let middle = |bin: usize| (bin as f64 + 0.5) * width;
    let filled = |&bin: &usize| bins[bin] > 0;
    let first = (0..bins.len()).find(filled).unwrap_or(0);
    let last = (0..bins.len()).rev().find(filled).unwrap_or(0);
    let over = |value: &dyn Fn(usize) -> f64| -> f64 {
        let terms = bins.iter().enumerate().map(|(bin, &count)| count as f64 * value(bin));
        terms.sum()
    };
    let mut message = Message::default();
    message.double(1, first as f64 * width);
    message.double(2, (last + 1) as f64 * width);
    message.double(3, over(&|_| 1.0));
    message.double(4, over(&middle));
    message.double(5, over(&|bin| middle(bin).powi(2)));
    message.doubles(6, (0..bins.len()).map(|bin| (bin + 1) as f64 * width));
    message.doubles(7, bins.iter().map(|&count| count as f64));
    tagged(tag).with_message(5, &message)
}

/// `Summary.Value` of a text, in Markdown.
pub(crate) fn text(tag: &str, markdown: &str) -> Message {
    let plugin = Message::default().with_bytes(1, b"text");
    let metadata = Message::default().with_message(1, &plugin);
    let mut tensor = Message::default();
    tensor.varint(1, STRING);
    // No dimensions: one text.
    tensor.message(2, &Message::default());
    tensor.bytes(8, markdown.as_bytes());
    tagged(tag).with_message(9, &metadata).with_message(8, &tensor)
}

fn tagged(tag: &str) -> Message {
    Message::default().with_bytes(1, tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are what `tensorboard.summary.writer.record_writer.RecordWriter` (TensorBoard 2.21) writes of
    /// `Event(file_version="brain.Event:2").SerializeToString()`.
    #[test]
    fn a_record_is_tensorboard_s() {
        let bytes = record(&Message::default().with_bytes(3, b"brain.Event:2"));
        assert_eq!(bytes[..12], [15, 0, 0, 0, 0, 0, 0, 0, 109, 83, 43, 9]);
        assert_eq!(bytes[12..27], *b"\x1a\x0dbrain.Event:2");
        assert_eq!(bytes[27..], [252, 152, 81, 41]);
    }

    #[test]
    fn numbers_of_several_bytes() {
        let mut message = Message::default();
        message.varint(2, 300);
        assert_eq!(message.0, [0x10, 0xac, 0x02]);
    }
}
