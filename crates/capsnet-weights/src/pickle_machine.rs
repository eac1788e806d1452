//! The stack machine behind [`pickle`](crate::pickle): one instruction after the other, until STOP.
//!
//! Instructions are named as in Python's `pickletools`. The text instructions of protocol 0 and those that name classes
//! in other ways (INST, OBJ, EXT1, ..) are absent: PyTorch needs none for a state dict.
//!
//! An instruction makes one value at most. Their number is bounded by the length of the pickle, so that a file of
//! nothing but instructions of one byte can't ask for a hundred times its size in memory.

use std::collections::HashMap;

use crate::error::Problem;
use crate::file::MAX_HEADER_BYTES;
use crate::pickle::{Heap, Value};
use crate::torch_names::{Global, Kind};
use crate::torch_objects;

pub(crate) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether `bytes` is only the start of the file.
    cut: bool,
    /// How many instructions may follow.
    left: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at which a MARK lies.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Machine<'a> {
    /// A machine for the pickle at the start of `bytes`, of which it looks at a bounded part.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let bounded = &bytes[..bytes.len().min(MAX_HEADER_BYTES)];
        Self {
            bytes: bounded,
            at: 0,
            cut: bounded.len() < bytes.len(),
            // What torch.save writes has about one in two bytes.
            left: 10_000 + bounded.len() / 5 * 3,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            heap: Heap::default(),
        }
    }

    /// The number of bytes that were read, and the containers that they have built.
    pub(crate) fn into_parts(self) -> (usize, Heap<'a>) {
        (self.at, self.heap)
    }

    /// Follows the instructions up to STOP and gives the one value that is left.
    pub(crate) fn run(&mut self) -> Result<Value<'a>, Problem> {
        loop {
            let offset = self.at;
            let opcode = self.byte()?;
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                Problem::malformed("its pickle has more instructions than torch.save needs for so many bytes")
            })?;
            match opcode {
                // PROTO, FRAME
                0x80 => self.protocol()?,
                0x95 => _ = self.take(8)?,
                // NONE, NEWTRUE, NEWFALSE
                b'N' => self.stack.push(Value::None),
                0x88 => self.stack.push(Value::Bool(true)),
                0x89 => self.stack.push(Value::Bool(false)),
                // BININT1, BININT2, BININT, LONG1, BINFLOAT
                b'K' => self.push_unsigned(1)?,
                b'M' => self.push_unsigned(2)?,
                b'J' => self.push_signed()?,
                0x8a => self.push_long()?,
                b'G' => {
                    self.take(8)?;
                    self.stack.push(Value::Float);
                }
                // SHORT_BINUNICODE, BINUNICODE; SHORT_BINSTRING, BINSTRING; SHORT_BINBYTES, BINBYTES
                0x8c => self.push_text(1)?,
                b'X' => self.push_text(4)?,
                b'U' => self.push_string(1)?,
                b'T' => self.push_string(4)?,
                b'C' => self.push_bytes(1)?,
                b'B' => self.push_bytes(4)?,
                // EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT
                b')' => self.push_tuple(Vec::new()),
                b']' => {
                    self.stack.push(Value::List(self.heap.lists.len()));
                    self.heap.lists.push(Vec::new());
                }
                b'}' => self.push_dict(),
                // EMPTY_SET, ADDITEMS
                0x8f => self.stack.push(Value::Opaque(Kind::Set)),
                0x90 => _ = self.pop_to_mark()?,
                // MARK, TUPLE, TUPLE1, TUPLE2, TUPLE3
                b'(' => self.marks.push(self.stack.len()),
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push_tuple(items);
                }
                0x85..=0x87 => {
                    let items = self.pop_last(usize::from(opcode - 0x84))?;
                    self.push_tuple(items);
                }
                // APPEND, APPENDS, SETITEM, SETITEMS
                b'a' => {
                    let item = self.pop()?;
                    self.append(&[item])?;
                }
                b'e' => {
                    let items = self.pop_to_mark()?;
                    self.append(&items)?;
                }
                b's' => {
                    let pair = self.pop_last(2)?;
                    self.set_items(&pair)?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.set_items(&items)?;
                }
                // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
                b'q' => self.memoize_as(1)?,
                b'r' => self.memoize_as(4)?,
                0x94 => {
                    let top = self.top()?;
                    // The memo holds no more entries than the pickle has bytes, so this never
                    // saturates.
                    self.memo
                        .insert(u32::try_from(self.memo.len()).unwrap_or(u32::MAX), top);
                }
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                // GLOBAL, STACK_GLOBAL, INST
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.stack.push(Value::Global(Global::find(module, name)?));
                }
                0x93 => self.stack_global()?,
                b'i' => {
                    let (module, name) = (self.line()?, self.line()?);
                    Global::find(module, name)?;
                    return Err(Problem::ForbiddenOpcode { opcode, offset });
                }
                // REDUCE, NEWOBJ, BUILD, BINPERSID
                b'R' | 0x81 => self.call()?,
                b'b' => self.build()?,
                b'Q' => {
                    let id = self.pop()?;
                    let storage = torch_objects::storage(&mut self.heap, id)?;
                    self.stack.push(storage);
                }
                // STOP
                b'.' => return self.stop(),
                _ => return Err(Problem::ForbiddenOpcode { opcode, offset }),
            }
        }
    }

    fn stop(&mut self) -> Result<Value<'a>, Problem> {
        let root = self.pop()?;
        if !self.stack.is_empty() || !self.marks.is_empty() {
            return Err(Problem::malformed("its pickle ends with values left over"));
        }
        Ok(root)
    }

    // Reading the arguments of instructions

    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.end())?;
        self.at += count;
        Ok(taken)
    }

    fn end(&self) -> Problem {
        if self.cut {
            return Problem::HeaderTooLarge;
        }
        Problem::malformed(format!(
            "its pickle ends in the middle of an instruction at byte {}",
            self.at
        ))
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian unsigned number of up to four bytes.
    fn unsigned(&mut self, width: usize) -> Result<u32, Problem> {
        Ok(self
            .take(width)?
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    fn line(&mut self) -> Result<&'a str, Problem> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.end())?;
        self.at += length + 1;
        utf8(&rest[..length])
    }

    fn protocol(&mut self) -> Result<(), Problem> {
        match self.byte()? {
            0..=5 => Ok(()),
            version => Err(Problem::malformed(format!(
                "its pickle claims the unknown protocol {version}"
            ))),
        }
    }

    fn push_unsigned(&mut self, width: usize) -> Result<(), Problem> {
        let value = self.unsigned(width)?;
        self.stack.push(Value::Int(i64::from(value)));
        Ok(())
    }

    fn push_signed(&mut self) -> Result<(), Problem> {
        let value = self.unsigned(4)?.cast_signed();
        self.stack.push(Value::Int(i64::from(value)));
        Ok(())
    }

    fn push_long(&mut self) -> Result<(), Problem> {
        let length = usize::from(self.byte()?);
        let digits = self.take(length)?;
        self.stack.push(if length > size_of::<i64>() {
            Value::Long(digits)
        } else {
            let negative = digits.last().is_some_and(|&byte| byte >= 0x80);
            let mut extended = [if negative { 0xff } else { 0 }; size_of::<i64>()];
            extended[..length].copy_from_slice(digits);
            Value::Int(i64::from_le_bytes(extended))
        });
        Ok(())
    }

    fn push_text(&mut self, width: usize) -> Result<(), Problem> {
        let length = self.unsigned(width)? as usize;
        let text = utf8(self.take(length)?)?;
        self.stack.push(Value::Str(text));
        Ok(())
    }

    /// A string of Python 2: text, or bytes.
    fn push_string(&mut self, width: usize) -> Result<(), Problem> {
        let length = self.unsigned(width)? as usize;
        let text = std::str::from_utf8(self.take(length)?);
        self.stack.push(text.map_or(Value::Opaque(Kind::Bytes), Value::Str));
        Ok(())
    }

    fn push_bytes(&mut self, width: usize) -> Result<(), Problem> {
        let length = self.unsigned(width)? as usize;
        self.take(length)?;
        self.stack.push(Value::Opaque(Kind::Bytes));
        Ok(())
    }

    // The stack

    /// Height below which the stack is closed off by the last MARK.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop_last(&mut self, count: usize) -> Result<Vec<Value<'a>>, Problem> {
        match self.stack.len().checked_sub(count) {
            Some(height) if height >= self.floor() => Ok(self.stack.split_off(height)),
            _ => Err(Problem::malformed("its pickle takes values that it never made")),
        }
    }

    fn pop(&mut self) -> Result<Value<'a>, Problem> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn top(&self) -> Result<Value<'a>, Problem> {
        match self.stack.last() {
            Some(&value) if self.stack.len() > self.floor() => Ok(value),
            _ => Err(Problem::malformed("its pickle takes values that it never made")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, Problem> {
        let height = self
            .marks
            .pop()
            .ok_or_else(|| Problem::malformed("its pickle closes what it never opened"))?;
        Ok(self.stack.split_off(height))
    }

    // Containers and the memo

    fn push_tuple(&mut self, items: Vec<Value<'a>>) {
        self.stack.push(Value::Tuple(self.heap.tuples.len()));
        self.heap.tuples.push(items);
    }

    fn push_dict(&mut self) {
        self.stack.push(Value::Dict(self.heap.dicts.len()));
        self.heap.dicts.push(Vec::new());
    }

    fn append(&mut self, items: &[Value<'a>]) -> Result<(), Problem> {
        let Value::List(list) = self.top()? else {
            return Err(Problem::malformed("its pickle appends to what is no list"));
        };
        self.heap.lists[list].extend_from_slice(items);
        Ok(())
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<(), Problem> {
        let Value::Dict(dict) = self.top()? else {
            return Err(Problem::malformed("its pickle sets entries of what is no dict"));
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Problem::malformed("its pickle has a key without a value"));
        }
        self.heap.dicts[dict].extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn memoize_as(&mut self, width: usize) -> Result<(), Problem> {
        let number = self.unsigned(width)?;
        let top = self.top()?;
        self.memo.insert(number, top);
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), Problem> {
        let number = self.unsigned(width)?;
        let value = self.memo.get(&number).copied();
        self.stack
            .push(value.ok_or_else(|| Problem::malformed("its pickle recalls what it never remembered"))?);
        Ok(())
    }

    // Classes and calls

    fn stack_global(&mut self) -> Result<(), Problem> {
        let name = self.pop()?;
        let module = self.pop()?;
        let (Value::Str(module), Value::Str(name)) = (module, name) else {
            return Err(Problem::malformed(
                "its pickle names a class by something other than strings",
            ));
        };
        self.stack.push(Value::Global(Global::find(module, name)?));
        Ok(())
    }

    fn call(&mut self) -> Result<(), Problem> {
        let arguments = self.pop()?;
        let callee = self.pop()?;
        let (Value::Global(callee), Value::Tuple(arguments)) = (callee, arguments) else {
            return Err(Problem::malformed(format!(
                "its pickle calls {} as a function",
                callee.kind()
            )));
        };
        let built = torch_objects::call(&mut self.heap, callee, arguments)?;
        self.stack.push(built);
        Ok(())
    }

    /// Sets attributes of an object: of a dict, on which `Module.state_dict()` hangs the versions of its layers, or of
    /// something whose content isn't followed. They are dropped.
    fn build(&mut self) -> Result<(), Problem> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) | Value::Opaque(_) => Ok(()),
            object => Err(Problem::NotAStateDict {
                found: format!("{} with attributes", object.kind()),
            }),
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|_| Problem::malformed("a name in its pickle is not UTF-8"))
}
