//! What the bits and words of an answer mean.

use gatepost_wire::event::Measurement;

use crate::config::{ByteOrder, Condition, NumberType, Register, Shape, Test};

/// What came for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Bits(Vec<bool>),
    Words(Vec<u16>),
}

/// What stands in a register.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Bit(bool),
    /// A number without fraction, as it came and scaled.
    Whole(i64, f64),
    /// A number with fraction, scaled.
    Real(f64),
}

impl Answer {
    /// How many bits or words.
    pub fn len(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// What stands in a register that begins at `place`; none where that is no number.
    pub fn value(&self, register: &Register, place: usize) -> Option<Value> {
        match (self, &register.shape) {
            (Self::Bits(bits), Shape::Bit(_)) => bits.get(place).copied().map(Value::Bit),
            (Self::Words(words), Shape::Number { number, order, scale, offset, .. }) => {
                let words = words.get(place..place + usize::from(number.words()))?;
                let scaled = |raw: f64| raw * scale + offset;
                let value = match number_of(*number, *order, words)? {
                    Number::Whole(raw) => Value::Whole(raw, scaled(raw as f64)),
                    Number::Real(raw) => Value::Real(scaled(raw)),
                };
                value.is_finite().then_some(value)
            }
            _ => None,
        }
    }
}

impl Value {
    /// Does a condition hold?
    pub fn satisfies(self, condition: &Condition) -> bool {
        match (&condition.test, self) {
            (Test::Bit { bit: None, is }, Self::Bit(on)) => on == *is,
            (Test::Bit { bit: Some(bit), is }, Self::Whole(raw, _)) => (raw >> bit & 1 == 1) == *is,
            (Test::AnyOf(values), Self::Whole(raw, _)) => values.contains(&raw),
            (Test::Within { least, most }, Self::Whole(_, scaled) | Self::Real(scaled)) => {
                (*least..=*most).contains(&scaled)
            }
            // Refused when the profile was read.
            _ => false,
        }
    }

    /// What an alarm tells of it.
    pub fn measurement(self, register: &Register) -> Option<Measurement> {
        match (self, &register.shape) {
            (Self::Whole(_, value) | Self::Real(value), Shape::Number { unit, .. }) => {
                Some(Measurement { value, unit: unit.clone() })
            }
            _ => None,
        }
    }

    fn is_finite(self) -> bool {
        match self {
            Self::Bit(_) => true,
            Self::Whole(_, scaled) | Self::Real(scaled) => scaled.is_finite(),
        }
    }
}

enum Number {
    Whole(i64),
    Real(f64),
}

fn number_of(number: NumberType, order: ByteOrder, words: &[u16]) -> Option<Number> {
    let swaps_bytes = matches!(order, ByteOrder::Badc | ByteOrder::Dcba);
    let swaps_words = matches!(order, ByteOrder::Cdab | ByteOrder::Dcba);
    let word = |word: u16| if swaps_bytes { word.swap_bytes() } else { word };
    let double = |words: &[u16]| match *words {
        [low, high] if swaps_words => Some(u32::from(word(high)) << 16 | u32::from(word(low))),
        [high, low] => Some(u32::from(word(high)) << 16 | u32::from(word(low))),
        _ => None,
    };
    Some(match number {
        NumberType::U16 => Number::Whole(word(*words.first()?).into()),
        NumberType::I16 => Number::Whole(word(*words.first()?).cast_signed().into()),
        NumberType::U32 => Number::Whole(double(words)?.into()),
        NumberType::I32 => Number::Whole(double(words)?.cast_signed().into()),
        NumberType::F32 => Number::Real(f32::from_bits(double(words)?).into()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register(keys: &str) -> Register {
        toml::from_str(&format!("id = 'r'\ntable = 'input'\naddress = 0\n{keys}")).unwrap()
    }

    fn condition(keys: &str) -> Condition {
        toml::from_str(&format!("register = 'r'\n{keys}")).unwrap()
    }

    fn read(keys: &str, words: &[u16]) -> Option<Value> {
        Answer::Words(words.to_vec()).value(&register(keys), 0)
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        assert_eq!(read("", &[0xfffe]), Some(Value::Whole(65534, 65534.0)));
        assert_eq!(read("type = 'i16'\nscale = 0.5\noffset = 1.0", &[0xfffe]), Some(Value::Whole(-2, 0.0)));
        assert_eq!(read("order = 'badc'", &[0x0102]), Some(Value::Whole(0x0201, 513.0)));
        // 12.5 is 0x41480000.
        for (order, words) in [
            ("abcd", [0x4148, 0x0000]),
            ("cdab", [0x0000, 0x4148]),
            ("badc", [0x4841, 0x0000]),
            ("dcba", [0x0000, 0x4841]),
        ] {
            assert_eq!(
                read(&format!("type = 'f32'\norder = '{order}'"), &words),
                Some(Value::Real(12.5)),
                "{order}"
            );
        }
        assert_eq!(read("type = 'f32'", &[0x7fc0, 0]), None, "not a number");
        assert_eq!(read("type = 'u32'", &[1]), None, "half of it");
    }

    #[test]
    fn conditions_hold_for_what_they_name() {
        let whole = Value::Whole(0b1010, 1.0);
        assert!(whole.satisfies(&condition("bit = 1")) && !whole.satisfies(&condition("bit = 0")));
        assert!(whole.satisfies(&condition("bit = 2\nis = false")));
        assert!(
            whole.satisfies(&condition("any_of = [3, 10]")) && !whole.satisfies(&condition("any_of = [1]"))
        );
        assert!(whole.satisfies(&condition("at_least = 1.0\nat_most = 1.0")), "scaled, ends included");
        assert!(
            !whole.satisfies(&condition("at_least = 1.5")) && whole.satisfies(&condition("at_most = 1.5"))
        );
        assert!(Value::Bit(false).satisfies(&condition("is = false")));
        assert!(Value::Whole(i64::from(u32::MAX), 0.0).satisfies(&condition("bit = 31")));
    }

    /// The two words a device would send, written down independently of how they are read.
    fn written(value: u32, order: ByteOrder) -> [u16; 2] {
        let [a, b, c, d] = value.to_be_bytes();
        let [w, x, y, z] = match order {
            ByteOrder::Abcd => [a, b, c, d],
            ByteOrder::Cdab => [c, d, a, b],
            ByteOrder::Badc => [b, a, d, c],
            ByteOrder::Dcba => [d, c, b, a],
        };
        [u16::from_be_bytes([w, x]), u16::from_be_bytes([y, z])]
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(value in any::<u32>(), order in 0..4usize, before in 0..3usize) {
            let (order, name) = [
                (ByteOrder::Abcd, "abcd"),
                (ByteOrder::Cdab, "cdab"),
                (ByteOrder::Badc, "badc"),
                (ByteOrder::Dcba, "dcba"),
            ][order];
            let mut words = vec![0xdead; before];
            words.extend(written(value, order));
            let answer = Answer::Words(words);
            let read = |number: &str| {
                answer.value(&register(&format!("type = '{number}'\norder = '{name}'")), before)
            };
            prop_assert_eq!(read("u32"), Some(Value::Whole(value.into(), value.into())));
            let signed = value.cast_signed();
            prop_assert_eq!(read("i32"), Some(Value::Whole(signed.into(), signed.into())));
            let real = f32::from_bits(value);
            prop_assert_eq!(read("f32"), real.is_finite().then(|| Value::Real(real.into())));
        }

        #[test]
        fn no_answer_is_too_short_to_be_looked_at(words in prop::collection::vec(any::<u16>(), 0..4), place in 0..6usize) {
            let answer = Answer::Words(words.clone());
            let value = answer.value(&register("type = 'u32'"), place);
            prop_assert_eq!(value.is_some(), place + 2 <= words.len());
        }
    }
}
