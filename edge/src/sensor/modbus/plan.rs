//! What a device is asked for: registers that stand beside each other are read in one request.

use crate::config::{Register, RegisterTable};

/// Most bits and most words one request may ask for (Modbus Application Protocol V1.1b3, 6.1 to 6.4).
const MOST_BITS: u16 = 2000;
const MOST_WORDS: u16 = 125;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub table: RegisterTable,
    pub first: u16,
    pub count: u16,
}

impl Block {
    /// Where in the answer a register stands, if it is in it.
    pub fn place_of(&self, register: &Register) -> Option<usize> {
        let place = register.address.checked_sub(self.first)?;
        let end = place.checked_add(register.len())?;
        let is_in = self.table == register.table() && end <= self.count;
        is_in.then_some(usize::from(place))
    }
}

/// The requests for these registers. What lies between two of them is not asked for: many devices refuse a request
/// that touches an address they do not have.
pub(super) fn blocks<'a>(registers: impl IntoIterator<Item = &'a Register>) -> Vec<Block> {
    let mut registers: Vec<&Register> = registers.into_iter().collect();
    registers.sort_by_key(|register| (register.table(), register.address));
    registers.dedup_by_key(|register| (register.table(), register.address));
    let mut blocks: Vec<Block> = Vec::new();
    for register in registers {
        let (table, first, count) = (register.table(), register.address, register.len());
        let most = match table {
            RegisterTable::Coil | RegisterTable::Discrete => MOST_BITS,
            RegisterTable::Input | RegisterTable::Holding => MOST_WORDS,
        };
        match blocks.last_mut() {
            Some(last)
                if last.table == table
                    && u32::from(last.first) + u32::from(last.count) == u32::from(first)
                    && last.count + count <= most =>
            {
                last.count += count;
            }
            _ => blocks.push(Block { table, first, count }),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register(table: &str, address: u16, keys: &str) -> Register {
        toml::from_str(&format!("id = 'r'\ntable = '{table}'\naddress = {address}\n{keys}")).unwrap()
    }

    #[test]
    fn neighbours_share_a_request_and_gaps_are_not_asked_for() {
        let registers = [
            register("input", 7, ""),
            register("input", 0, "type = 'u32'"),
            register("input", 2, ""),
            register("discrete", 3, ""),
            register("input", 2, ""),
        ];
        let block = |table, first, count| Block { table, first, count };
        assert_eq!(
            blocks(&registers),
            [
                block(RegisterTable::Discrete, 3, 1),
                block(RegisterTable::Input, 0, 3),
                block(RegisterTable::Input, 7, 1)
            ]
        );
    }

    #[test]
    fn no_request_is_longer_than_the_protocol_allows() {
        let words: Vec<_> = (0..300).map(|address| register("holding", address, "")).collect();
        assert_eq!(blocks(&words).iter().map(|block| block.count).collect::<Vec<_>>(), [125, 125, 50]);
        let bits: Vec<_> = (0..2001).map(|address| register("coil", address, "")).collect();
        assert_eq!(blocks(&bits).iter().map(|block| block.count).collect::<Vec<_>>(), [2000, 1]);
        assert_eq!(blocks(&[register("input", u16::MAX, "")])[0].first, u16::MAX);
    }

    proptest! {
        #[test]
        fn every_register_is_in_exactly_one_request(
            places in prop::collection::btree_set((0..2u8, 0u16..=600), 1..80)
        ) {
            let table = |number: u8| if number == 0 { "discrete" } else { "holding" };
            let registers: Vec<_> =
                places.iter().map(|(number, address)| register(table(*number), *address, "")).collect();
            let blocks = blocks(&registers);
            for register in &registers {
                prop_assert_eq!(blocks.iter().filter(|block| block.place_of(register).is_some()).count(), 1);
            }
            let asked: usize = blocks.iter().map(|block| usize::from(block.count)).sum();
            prop_assert_eq!(asked, registers.len(), "nothing else");
        }
    }
}
