//! Pickles as `torch.save` writes them, with other numbers, names and instructions in them.

use arbitrary::{Result, Unstructured};

use super::weights;

/// A state dict, drawn instruction by instruction.
pub(crate) fn tensors(bytes: &[u8]) {
    let mut draw = Unstructured::new(bytes);
    let mut pickle = b"\x80\x02}q\x00(".to_vec();
    // What the bytes didn't reach for is left out; the pickle then ends sooner.
    let _ = items(&mut draw, &mut pickle);
    pickle.extend_from_slice(b"u.");
    weights::any(&weights::archive(&pickle, false));
}

fn items(draw: &mut Unstructured, pickle: &mut Vec<u8>) -> Result<()> {
    while !draw.is_empty() {
        match draw.int_in_range(0..=15)? {
            0 => pickle.extend_from_slice(draw.choose(&OTHERS)?),
            1 => pickle.push(draw.arbitrary()?),
            2 => {
                text(pickle, draw.choose(&NAMES)?);
                number(draw, pickle)?;
            }
            _ => {
                text(pickle, draw.choose(&NAMES)?);
                tensor(draw, pickle)?;
            }
        }
    }
    Ok(())
}

const NAMES: [&str; 6] = ["weight", "bias", "module.a.weight", "state_dict", "", "\u{e9}\0"];

/// Instructions that stand between items in files of others, and some that no reader should follow.
const OTHERS: [&[u8]; 20] = [
    b"q\x01",
    b"h\x00",
    b"h\x01",
    b"r\x01\x00\x00\x00",
    b"j\xff\xff\xff\x7f",
    b"0",
    b"2",
    b"(",
    b"u",
    b"}",
    b"]",
    b")",
    b"t",
    b"N",
    b"\x88",
    b"ccollections\nOrderedDict\n",
    b"cos\nsystem\n",
    b"R",
    b"b",
    b"\x8c\x04name",
];

const STORAGES: [&str; 7] = ["Float", "Double", "Half", "BFloat16", "Long", "Byte", "Bool"];

/// Numbers at which something may turn over.
const EDGES: [i64; 12] = [0, 1, 2, 3, 6, 16, -1, 255, 65_536, i32::MAX as i64, i64::MAX, i64::MIN];

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend_from_slice(&(text.len() as u32).to_le_bytes());
    pickle.extend_from_slice(text.as_bytes());
}

/// A small number most of the time.
fn number(draw: &mut Unstructured, pickle: &mut Vec<u8>) -> Result<()> {
    if draw.ratio(3, 4)? {
        pickle.extend_from_slice(&[b'K', draw.int_in_range(0..=6)?]);
        return Ok(());
    }
    let number = *draw.choose(&EDGES)?;
    pickle.extend_from_slice(b"\x8a\x08");
    pickle.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn tuple(draw: &mut Unstructured, pickle: &mut Vec<u8>) -> Result<()> {
    pickle.push(b'(');
    for _ in 0..draw.int_in_range(0..=4)? {
        number(draw, pickle)?;
    }
    pickle.push(b't');
    Ok(())
}

fn tensor(draw: &mut Unstructured, pickle: &mut Vec<u8>) -> Result<()> {
    let parameter = draw.ratio(1, 8)?;
    if parameter {
        pickle.extend_from_slice(b"ctorch._utils\n_rebuild_parameter\n(");
    }
    pickle.extend_from_slice(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(pickle, "storage");
    let storage = *draw.choose(&STORAGES)?;
    pickle.extend_from_slice(format!("ctorch\n{storage}Storage\n").as_bytes());
    text(pickle, draw.choose(&["0", "1", "2", "3"])?);
    text(pickle, "cpu");
    number(draw, pickle)?;
    pickle.extend_from_slice(b"tQ");
    number(draw, pickle)?;
    tuple(draw, pickle)?;
    tuple(draw, pickle)?;
    pickle.extend_from_slice(b"\x89ccollections\nOrderedDict\n)RtR");
    if parameter {
        pickle.extend_from_slice(b"\x88ccollections\nOrderedDict\n)RtR");
    }
    Ok(())
}
