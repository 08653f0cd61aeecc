//! Which alarms are on legal hold: what their clips show is kept although its time is over. Pure: orders and the time in.
//!
//! An order names an alarm and an end; an end that is past lifts the hold. Of the orders about one alarm the one the hub numbered highest
//! counts, so it does not matter in which order they come or how often. Two of one number are a hub's that was put back to an earlier state: the
//! first stands, and the hub has to number the other anew.

use std::collections::BTreeMap;

use gatepost_wire::command::HoldEvidence;
use gatepost_wire::{AlarmId, CommandId, Timestamp};

/// The last order about each alarm. One that is over is remembered, too, or an older one that comes late would be taken for news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    last: BTreeMap<AlarmId, Last>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    sequence: u64,
    command: CommandId,
    until: Timestamp,
}

/// A later order about the same alarm was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a later command about this alarm was carried out before")]
pub struct Superseded;

impl Holds {
    /// Takes the order that a command of this number gives; the same one once more changes nothing.
    ///
    /// # Errors
    /// When a later one was taken, or another of this number; it stands.
    pub fn take(
        &mut self,
        sequence: u64,
        command: CommandId,
        order: &HoldEvidence,
    ) -> Result<(), Superseded> {
        let outdoes = |last: &Last| last.sequence >= sequence && last.command != command;
        if self.last.get(&order.alarm).is_some_and(outdoes) {
            return Err(Superseded);
        }
        self.last.insert(order.alarm, Last { sequence, command, until: order.until });
        Ok(())
    }

    /// Is this alarm on hold?
    pub fn hold(&self, alarm: AlarmId, now: Timestamp) -> bool {
        self.last.get(&alarm).is_some_and(|last| now < last.until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;

    fn alarm(number: u8) -> AlarmId {
        AlarmId::from_ulid(Ulid(number.into()))
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hours)
    }

    fn command(number: u64) -> CommandId {
        CommandId::from_ulid(Ulid(number.into()))
    }

    fn order(number: u8, until_hours: i64) -> HoldEvidence {
        HoldEvidence { alarm: alarm(number), until: at(until_hours), extra: Default::default() }
    }

    #[test]
    fn a_hold_ends_by_itself_or_when_it_is_lifted_and_may_be_put_on_again() {
        let mut holds = Holds::default();
        holds.take(3, command(3), &order(1, 10)).unwrap();
        assert!(holds.hold(alarm(1), at(9)) && !holds.hold(alarm(2), at(9)));
        assert!(!holds.hold(alarm(1), at(10)), "its end has come");
        holds.take(5, command(5), &order(1, 4)).unwrap();
        assert!(!holds.hold(alarm(1), at(5)), "lifted");
        assert_eq!(holds.take(3, command(3), &order(1, 10)), Err(Superseded));
        holds.take(8, command(8), &order(1, 20)).unwrap();
        holds.take(8, command(8), &order(1, 20)).unwrap();
        assert_eq!(holds.take(5, command(5), &order(1, 4)), Err(Superseded));
        assert!(holds.hold(alarm(1), at(19)), "put on again");
    }

    #[test]
    fn of_two_orders_of_one_number_the_first_stands() {
        let mut holds = Holds::default();
        holds.take(3, command(3), &order(1, 10)).unwrap();
        assert_eq!(holds.take(3, command(4), &order(1, 2)), Err(Superseded));
        assert!(holds.hold(alarm(1), at(9)));
        holds.take(3, command(4), &order(2, 2)).unwrap();
        assert!(holds.hold(alarm(2), at(1)), "of another alarm it is news");
    }

    proptest! {
        #[test]
        fn in_whatever_order_and_however_often_they_come_the_last_one_counts(
            orders in prop::collection::vec((0u8..3, 0i64..100), 1..12),
            arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
            now in 0i64..100,
        ) {
            let given: Vec<(u64, HoldEvidence)> =
                (1..).zip(orders.iter().map(|(alarm, until)| order(*alarm, *until))).collect();
            let mut holds = Holds::default();
            // Some come several times and out of order; each at least once.
            let arrived = arrivals.iter().map(|index| index.get(&given)).chain(given.iter().rev());
            for (sequence, order) in arrived {
                let known = holds.clone();
                if holds.take(*sequence, command(*sequence), order).is_err() {
                    prop_assert_eq!(&holds, &known);
                }
            }
            for number in 0..3 {
                let last = given.iter().rev().find(|(_, order)| order.alarm == alarm(number));
                let held = last.is_some_and(|(_, order)| at(now) < order.until);
                prop_assert_eq!(holds.hold(alarm(number), at(now)), held);
            }
        }
    }
}
