//! The tensors that a PyTorch state dictionary lists.
//!
//! A pickle is a program for a machine with a stack, which may call any function by its name. This one knows three functions,
//! those that state dictionaries are made of, and none of them does anything; what it takes is bounded by the pickle's length.

use crate::Result;
use crate::error::{Context, bail, ensure};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The longest pickle that is read, in bytes; those of large networks have a tenth.
pub const LONGEST: u64 = 1 << 20;

/// The longest name of a module and of what it has, in bytes.
const LONGEST_NAME: usize = 256;

/// How deep tuples may be nested, twice as deep as they are.
const DEEPEST: u8 = 6;

/// Where the values of a tensor lie.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// The name of the storage.
    pub storage: String,
    /// The first value in it.
    pub offset: usize,
    /// Row by row.
    pub shape: Vec<usize>,
}

/// Tensors and their names.
type Entries = Vec<(Rc<str>, Rc<StoredTensor>)>;

#[derive(Clone)]
enum Value {
    Mark,
    /// A truth value, or nothing.
    Plain,
    Number(i64),
    Text(Rc<str>),
    /// Module and name.
    Global(Rc<str>),
    Tuple {
        items: Rc<[Value]>,
        depth: u8,
    },
    /// The name of a storage of floats.
    Storage(Rc<str>),
    Tensor(Rc<StoredTensor>),
    /// Its tensors; what else it holds is left out.
    Dictionary(Rc<RefCell<Entries>>),
}

/// Tensors by name.
///
/// # Errors
/// If the pickle is damaged, or holds anything but a state dictionary of tensors of 32-bit floats.
pub fn state_dict(pickle: &[u8]) -> Result<HashMap<String, StoredTensor>> {
    ensure!(pickle.len() as u64 <= LONGEST, "expected a pickle of at most {LONGEST} bytes");
    let mut machine = Machine { rest: pickle, stack: Vec::new(), memo: HashMap::new() };
    while machine.step()? {}
    let Value::Dictionary(entries) = machine.pop()? else {
        bail!("expected a dictionary of tensors");
    };
    let entry =
        |(name, tensor): &(Rc<str>, Rc<StoredTensor>)| (name.to_string(), (**tensor).clone());
    Ok(entries.borrow().iter().map(entry).collect())
}

struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

impl Machine<'_> {
    /// Takes an instruction; whether there are more.
    fn step(&mut self) -> Result<bool> {
        match self.take::<1>()?[0] {
            b'.' => return Ok(false),
            // The protocol's number.
            0x80 => drop(self.take::<1>()?),
            b'(' => self.stack.push(Value::Mark),
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Plain),
            b'K' => self.number(u8::from_le_bytes, i64::from)?,
            b'M' => self.number(u16::from_le_bytes, i64::from)?,
            b'J' => self.number(i32::from_le_bytes, i64::from)?,
            0x8A => self.long()?,
            0x8C => self.take::<1>().and_then(|[length]| self.text(length.into()))?,
            b'X' => self.take().and_then(|length| self.text(u32::from_le_bytes(length).into()))?,
            0x8D => self.take().and_then(|length| self.text(u64::from_le_bytes(length)))?,
            b'c' => self.global()?,
            0x93 => self.global_of_texts()?,
            // The length of what follows.
            0x95 => drop(self.take::<8>()?),
            0x94 => self.put(|machine| Ok(u32::try_from(machine.memo.len())?))?,
            b'q' => self.put(|machine| Ok(machine.take::<1>()?[0].into()))?,
            b'r' => self.put(|machine| Ok(u32::from_le_bytes(machine.take()?)))?,
            b'h' => self.get(|machine| Ok(machine.take::<1>()?[0].into()))?,
            b'j' => self.get(|machine| Ok(u32::from_le_bytes(machine.take()?)))?,
            b')' => self.tuple(Vec::new())?,
            b't' => self.after_mark().and_then(|items| self.tuple(items))?,
            count @ 0x85..=0x87 => {
                let items = self.last(usize::from(count - 0x84))?;
                self.tuple(items)?;
            }
            b'}' => self.stack.push(Value::Dictionary(Rc::default())),
            b's' => self.last(2).and_then(|items| self.insert(&items))?,
            b'u' => self.after_mark().and_then(|items| self.insert(&items))?,
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            // Attributes, such as the versions of modules.
            b'b' => drop(self.pop()?),
            other => bail!("a state dictionary has no instruction {other:#04x}"),
        }
        Ok(true)
    }

    fn bytes(&mut self, count: usize) -> Result<&[u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).context("the pickle is cut off")?;
        self.rest = rest;
        Ok(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().context("an instruction lacks its operand")
    }

    /// The last values on the stack.
    fn last(&mut self, count: usize) -> Result<Vec<Value>> {
        let start = self.stack.len().checked_sub(count).context("an instruction lacks operands")?;
        Ok(self.stack.split_off(start))
    }

    /// The values since the last mark, which is removed.
    fn after_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark));
        let items = self.stack.split_off(mark.context("an instruction lacks its mark")? + 1);
        self.stack.pop();
        Ok(items)
    }

    fn number<const N: usize, T>(
        &mut self,
        read: impl Fn([u8; N]) -> T,
        widen: impl Fn(T) -> i64,
    ) -> Result<()> {
        let number = widen(read(self.take()?));
        self.stack.push(Value::Number(number));
        Ok(())
    }

    /// A number of up to eight bytes; those of storages are not negative.
    fn long(&mut self) -> Result<()> {
        let length = self.take::<1>()?[0].into();
        ensure!(length <= 8, "a number has {length} bytes");
        let mut number = [0; 8];
        number[..length].copy_from_slice(self.bytes(length)?);
        self.stack.push(Value::Number(i64::from_le_bytes(number)));
        Ok(())
    }

    fn text(&mut self, length: u64) -> Result<()> {
        let length = usize::try_from(length)?;
        let text = std::str::from_utf8(self.bytes(length)?)?.into();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<&str> {
        let length = self.rest.iter().position(|&byte| byte == b'\n');
        let line = self.bytes(length.context("a name is cut off")? + 1)?;
        Ok(std::str::from_utf8(line)?.trim_end())
    }

    fn global(&mut self) -> Result<()> {
        let module = self.line()?.to_owned();
        let name = format!("{module}.{}", self.line()?);
        self.stack.push(Value::Global(name.into()));
        Ok(())
    }

    /// Module and name, which lie on the stack.
    fn global_of_texts(&mut self) -> Result<()> {
        let names = self.last(2)?;
        let [Value::Text(module), Value::Text(name)] = &names[..] else {
            bail!("expected the names of a module and of what it has");
        };
        // Names that are remembered could be repeated.
        ensure!(module.len() + name.len() <= LONGEST_NAME, "a name is too long");
        let global = Value::Global(format!("{module}.{name}").into());
        self.stack.push(global);
        Ok(())
    }

    fn put(&mut self, key: impl Fn(&mut Self) -> Result<u32>) -> Result<()> {
        let key = key(self)?;
        let value = self.stack.last().context("there is nothing to remember")?;
        self.memo.insert(key, value.clone());
        Ok(())
    }

    fn get(&mut self, key: impl Fn(&mut Self) -> Result<u32>) -> Result<()> {
        let key = key(self)?;
        let value = self.memo.get(&key).context("something was not remembered")?;
        self.stack.push(value.clone());
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) -> Result<()> {
        let depth = |item: &Value| match item {
            Value::Tuple { depth, .. } => *depth,
            _ => 0,
        };
        let depth = items.iter().map(depth).max().unwrap_or(0) + 1;
        ensure!(depth <= DEEPEST, "tuples are nested too deeply");
        self.stack.push(Value::Tuple { items: items.into(), depth });
        Ok(())
    }

    /// Adds the tensors among keys and values to the dictionary below them.
    fn insert(&mut self, items: &[Value]) -> Result<()> {
        let Some(Value::Dictionary(entries)) = self.stack.last_mut() else {
            bail!("expected a dictionary to insert into");
        };
        let mut entries = entries.borrow_mut();
        for pair in items.chunks(2) {
            if let [Value::Text(name), Value::Tensor(tensor)] = pair {
                entries.push((name.clone(), tensor.clone()));
            }
        }
        Ok(())
    }

    /// `("storage", class, name, device, length)`.
    fn storage(&mut self) -> Result<()> {
        let Value::Tuple { items, .. } = self.pop()? else { bail!("expected a storage") };
        let [Value::Text(_), Value::Global(class), Value::Text(name), ..] = &*items else {
            bail!("expected a storage");
        };
        ensure!(&**class == "torch.FloatStorage", "expected torch.FloatStorage, got {class}");
        self.stack.push(Value::Storage(name.clone()));
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Value::Tuple { items, .. }, Value::Global(name)) = (arguments, function) else {
            bail!("expected a function and its arguments");
        };
        let result = match &*name {
            "collections.OrderedDict" => Value::Dictionary(Rc::default()),
            "torch._utils._rebuild_tensor_v2" => Value::Tensor(Rc::new(tensor(&items)?)),
            "torch._utils._rebuild_parameter" => {
                items.first().context("expected a parameter")?.clone()
            }
            other => bail!("a state dictionary does not call {other:?}"),
        };
        self.stack.push(result);
        Ok(())
    }
}

/// Of `(storage, offset, shape, strides, …)`.
fn tensor(arguments: &[Value]) -> Result<StoredTensor> {
    let [Value::Storage(storage), Value::Number(offset), shape, strides, ..] = arguments else {
        bail!("expected a tensor's storage, offset, shape and strides");
    };
    let (shape, strides) = (numbers(shape)?, numbers(strides)?);
    let mut stride = 1_usize;
    ensure!(shape.len() == strides.len(), "expected a stride for each dimension");
    for (&size, &got) in shape.iter().zip(&strides).rev() {
        ensure!(got == stride || size == 1, "expected tensors that lie in one piece, row by row");
        stride = stride.checked_mul(size).context("a tensor is too large")?;
    }
    Ok(StoredTensor { storage: storage.to_string(), offset: usize::try_from(*offset)?, shape })
}

fn numbers(tuple: &Value) -> Result<Vec<usize>> {
    let Value::Tuple { items, .. } = tuple else { bail!("expected a tuple of numbers") };
    let number = |item: &Value| match item {
        Value::Number(number) => Ok(usize::try_from(*number)?),
        _ => bail!("expected a number"),
    };
    items.iter().map(number).collect()
}

#[cfg(test)]
mod tests;
