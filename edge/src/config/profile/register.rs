//! Registers: where a value stands, and how it is written there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RegisterId;

/// What is read: one bit, or one or two words.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "RegisterKeys")]
#[schemars(with = "RegisterKeys")]
pub struct Register {
    /// Its name.
    pub id: RegisterId,
    /// Where it begins, from 0.
    pub address: u16,
    /// What stands there.
    pub shape: Shape,
}

/// What stands in a register.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// On or off.
    Bit(BitTable),
    /// A number.
    Number {
        /// The table.
        table: WordTable,
        /// How it is written.
        number: NumberType,
        /// In which order.
        order: ByteOrder,
        /// What it is multiplied with.
        scale: f64,
        /// What is added after that.
        offset: f64,
        /// Its unit after that.
        unit: String,
    },
}

/// A table of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BitTable {
    /// Function 1.
    Coil,
    /// Function 2.
    Discrete,
}

/// A table of 16-bit words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordTable {
    /// Function 3.
    Holding,
    /// Function 4.
    Input,
}

/// One of the four tables of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegisterTable {
    /// Bits a master may write; manuals number them from 00001.
    Coil,
    /// Bits to read; from 10001.
    Discrete,
    /// Words to read; from 30001.
    Input,
    /// Words a master may write; from 40001.
    Holding,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberType {
    /// 16 bits, from 0.
    #[default]
    U16,
    /// 16 bits, two's complement.
    I16,
    /// 32 bits in two words, from 0.
    U32,
    /// 32 bits in two words, two's complement.
    I32,
    /// IEEE 754 in two words.
    F32,
}

impl NumberType {
    /// How many words it takes.
    pub const fn words(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
        }
    }
}

/// The order in which the bytes of a number travel; `a` is the most significant of four. Of one word only the order inside
/// it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByteOrder {
    /// As the specification has it.
    #[default]
    Abcd,
    /// Words swapped.
    Cdab,
    /// Bytes of each word swapped.
    Badc,
    /// Both.
    Dcba,
}

/// A register as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RegisterKeys {
    /// Its name, unique in the profile.
    id: RegisterId,
    /// The table it stands in.
    table: RegisterTable,
    /// Where it begins, from 0: manuals that number from 30001 or 40001 mean 0 by it.
    address: u16,
    /// How its number is written; not for coils and discrete inputs.
    #[serde(rename = "type")]
    number: Option<NumberType>,
    /// The order of its bytes.
    order: Option<ByteOrder>,
    /// What its number is multiplied with; 1 unless given.
    scale: Option<f64>,
    /// What is added after that; 0 unless given.
    offset: Option<f64>,
    /// The unit after that, e.g. `m`.
    unit: Option<String>,
}

impl TryFrom<RegisterKeys> for Register {
    type Error = String;
    fn try_from(keys: RegisterKeys) -> Result<Self, String> {
        let RegisterKeys { id, table, address, number, order, scale, offset, unit } = keys;
        let is_bare =
            (number.is_none() && order.is_none() && scale.is_none()) && (offset.is_none() && unit.is_none());
        let shape = match table {
            RegisterTable::Coil | RegisterTable::Discrete if !is_bare => {
                return Err(
                    "a coil or discrete input is on or off: it has no type, order, scale, offset or unit"
                        .into(),
                );
            }
            RegisterTable::Coil => Shape::Bit(BitTable::Coil),
            RegisterTable::Discrete => Shape::Bit(BitTable::Discrete),
            RegisterTable::Input | RegisterTable::Holding => {
                let (scale, offset) = (scale.unwrap_or(1.0), offset.unwrap_or(0.0));
                if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
                    return Err("`scale` and `offset` are numbers, and `scale` is not 0".into());
                }
                let table = if table == RegisterTable::Input { WordTable::Input } else { WordTable::Holding };
                let (number, order) = (number.unwrap_or_default(), order.unwrap_or_default());
                Shape::Number { table, number, order, scale, offset, unit: unit.unwrap_or_default() }
            }
        };
        let register = Self { id, address, shape };
        if u32::from(address) + u32::from(register.len()) > 1 << 16 {
            return Err(format!("{address} is the last address: there is no room for a second word"));
        }
        Ok(register)
    }
}

impl Register {
    /// The table it stands in.
    pub const fn table(&self) -> RegisterTable {
        match self.shape {
            Shape::Bit(BitTable::Coil) => RegisterTable::Coil,
            Shape::Bit(BitTable::Discrete) => RegisterTable::Discrete,
            Shape::Number { table: WordTable::Input, .. } => RegisterTable::Input,
            Shape::Number { table: WordTable::Holding, .. } => RegisterTable::Holding,
        }
    }

    /// How many bits or words it takes.
    pub const fn len(&self) -> u16 {
        match self.shape {
            Shape::Bit(_) => 1,
            Shape::Number { number, .. } => number.words(),
        }
    }

    /// Always false: a register holds something.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Do the two stand in one place?
    pub fn overlaps(&self, other: &Self) -> bool {
        let end = |it: &Self| u32::from(it.address) + u32::from(it.len());
        self.table() == other.table()
            && u32::from(self.address) < end(other)
            && u32::from(other.address) < end(self)
    }
}
