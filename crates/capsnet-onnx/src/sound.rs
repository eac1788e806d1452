//! Whether the messages of an ONNX file end where they say, before anything else reads it.
//!
//! rten's reader believes the lengths of fields that it passes over: one of 2^63 or more leads it backwards, and it
//! never ends. Nor does it where packed numbers run over the end of their field. So all messages that it opens are
//! walked through first, without a copy of anything.

use prost::encoding::{WireType, decode_key, decode_varint};

/// Messages in messages, at most: a graph in an attribute of a node of a graph is three.
const DEPTH: usize = 100;

/// The messages that are opened, `Plain` for one without others in it, and packed numbers.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    SequenceType,
    Shape,
    Plain,
    /// Whole numbers, each as long as it says.
    Varints,
    /// Numbers of so many bytes each.
    Fixed(usize),
}

impl Message {
    /// What a field of it is, if it is looked into; numbers as in `onnx.proto`.
    fn field(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Self::Plain,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo, 2) | (Self::SequenceType, 1) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::Type, 4) => Self::SequenceType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Tensor, 1 | 5 | 7 | 11) | (Self::Attribute, 8) => Self::Varints,
            (Self::Tensor, 4) | (Self::Attribute, 7) => Self::Fixed(4),
            (Self::Tensor, 10) => Self::Fixed(8),
            _ => return None,
        })
    }
}

/// Says what is wrong with the bytes of a model.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    walk(bytes, Message::Model, 0)
}

fn walk(mut bytes: &[u8], message: Message, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("it has messages within messages, more than {DEPTH} deep"));
    }
    match message {
        Message::Varints => return varints(bytes),
        Message::Fixed(size) if bytes.len().is_multiple_of(size) => return Ok(()),
        Message::Fixed(size) => return Err(format!("{} bytes are no numbers of {size} bytes each", bytes.len())),
        _ => {}
    }
    while !bytes.is_empty() {
        let (number, wire) = decode_key(&mut bytes).map_err(|error| error.to_string())?;
        let length = match wire {
            WireType::Varint => {
                decode_varint(&mut bytes).map_err(|error| error.to_string())?;
                0
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => decode_varint(&mut bytes).map_err(|error| error.to_string())?,
            WireType::StartGroup | WireType::EndGroup => return Err("it has groups, which ONNX has none of".to_owned()),
        };
        let place = usize::try_from(length).ok().filter(|&length| length <= bytes.len());
        let Some((field, after)) = place.map(|length| bytes.split_at(length)) else {
            return Err(format!(
                "a field says that it has {length} bytes, but {} are left; it is cut off or damaged",
                bytes.len()
            ));
        };
        if let (WireType::LengthDelimited, Some(inner)) = (wire, message.field(number)) {
            walk(field, inner, depth + 1)?;
        }
        bytes = after;
    }
    Ok(())
}

fn varints(mut bytes: &[u8]) -> Result<(), String> {
    while !bytes.is_empty() {
        decode_varint(&mut bytes).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with bytes.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&[number << 3 | 2, content.len() as u8], content].concat()
    }

    #[test]
    fn lengths_are_believed_at_no_depth() {
        // 2^64 - 2 bytes: the reader would go two bytes back.
        let endless = [[0x7a].as_slice(), &[0xff; 9], &[1]].concat();
        let backwards = [&endless[..1], &[0xfe], &[0xff; 8], &[1]].concat();
        for bad in [&endless, &backwards, &vec![0x7a, 5, 0]] {
            let wraps: [&[u8]; 7] = [
                &[],
                &[7],
                &[7, 1],
                &[7, 1, 5],
                &[7, 1, 5, 6],
                &[7, 11, 2, 1, 2, 1],
                &[7, 5, 13],
            ];
            for fields in wraps {
                let bytes = fields
                    .iter()
                    .rev()
                    .fold(bad.clone(), |inner, &number| field(number, &inner));
                assert!(check(&bytes).unwrap_err().contains("bytes"), "{fields:?}");
            }
        }
        // What nobody opens may be anything.
        assert_eq!(check(&field(9, &endless)), Ok(()));
        assert_eq!(check(&[]), Ok(()));
    }

    #[test]
    fn packed_numbers_end_with_their_field() {
        let in_tensor = |number: u8, content: &[u8]| check(&field(7, &field(5, &field(number, content))));
        let in_attribute = |number: u8, content: &[u8]| check(&field(7, &field(1, &field(5, &field(number, content)))));
        for number in [1, 5, 7, 11] {
            assert_eq!(in_tensor(number, &[0x60, 0xe8, 0x01]), Ok(()));
            assert!(in_tensor(number, &[0x60, 0xe8]).is_err(), "{number}");
        }
        assert!(in_attribute(8, &[0xe8]).is_err());
        for (found, size) in [
            (in_tensor(4, &[0; 7]), 4),
            (in_tensor(10, &[0; 12]), 8),
            (in_attribute(7, &[0; 6]), 4),
        ] {
            assert!(found.unwrap_err().contains(&format!("{size} bytes each")));
        }
        assert_eq!(in_tensor(4, &[0; 8]), Ok(()));
    }

    #[test]
    fn depth_is_bounded() {
        // A graph in an attribute of a node, again and again, with lengths of three bytes.
        let wide = |number: u8, content: &[u8]| {
            let length = content.len();
            let digits = [length & 127 | 128, length >> 7 & 127 | 128, length >> 14].map(|digit| digit as u8);
            [&[number << 3 | 2], &digits[..], content].concat()
        };
        let nested = |times: usize| {
            let inner = (0..times).fold(Vec::new(), |inner, _| wide(1, &wide(5, &wide(6, &inner))));
            check(&wide(7, &inner))
        };
        assert_eq!(nested(30), Ok(()));
        assert!(nested(50).unwrap_err().contains("100 deep"));
    }
}
