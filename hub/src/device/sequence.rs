//! Which sequence numbers of one boot are here, and which are missing. Pure.
//!
//! Numbers are kept as ranges that neither overlap nor touch, so a long run costs one range and every gap is
//! exact, whatever the order of arrival.

use gatepost_wire::Seq;
use serde::Serialize;

/// Numbers `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The lowest.
    pub first: Seq,
    /// The highest.
    pub last: Seq,
}

/// What becomes of the ranges when one more number arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It was already there.
    Seen,
    /// `range` takes the place of the neighbours it absorbs.
    New {
        /// The range that now holds the number.
        range: Range,
        /// The range below became part of it.
        absorbs_below: bool,
        /// The range above became part of it.
        absorbs_above: bool,
    },
}

/// Places `seq` between its neighbours: `below` is the range that starts highest at or below `seq`, `above`
/// the one that starts lowest above it.
pub fn place(seq: Seq, below: Option<Range>, above: Option<Range>) -> Placed {
    if below.is_some_and(|range| seq <= range.last) {
        return Placed::Seen;
    }
    let absorbs_below = below.is_some_and(|range| range.last.next() == seq);
    let absorbs_above = above.is_some_and(|range| seq.next() == range.first);
    Placed::New {
        range: Range {
            first: below.filter(|_| absorbs_below).map_or(seq, |range| range.first),
            last: above.filter(|_| absorbs_above).map_or(seq, |range| range.last),
        },
        absorbs_below,
        absorbs_above,
    }
}

/// What is missing of 1 to the highest number seen or announced; `seen` is sorted.
pub fn missing(seen: &[Range], announced: Option<Seq>) -> Vec<Range> {
    let mut gaps = Vec::new();
    let mut expected = Seq::FIRST;
    for range in seen {
        if expected < range.first {
            gaps.push(Range { first: expected, last: Seq(range.first.0 - 1) });
        }
        expected = range.last.next();
    }
    if let Some(announced) = announced
        && expected <= announced
    {
        gaps.push(Range { first: expected, last: announced });
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Does to a list what the store does to its table.
    fn insert(ranges: &mut Vec<Range>, seq: Seq) -> Placed {
        let below = ranges.iter().rfind(|range| range.first <= seq).copied();
        let above = ranges.iter().find(|range| range.first > seq).copied();
        let placed = place(seq, below, above);
        if let Placed::New { range, absorbs_below, absorbs_above } = placed {
            ranges.retain(|r| !(absorbs_below && Some(*r) == below || absorbs_above && Some(*r) == above));
            ranges.push(range);
            ranges.sort_by_key(|range| range.first);
        }
        placed
    }

    proptest! {
        #[test]
        fn ranges_agree_with_a_set(numbers in prop::collection::vec(1u64..60, 0..120), announced in prop::option::of(1u64..70)) {
            let mut ranges = Vec::new();
            let mut set = BTreeSet::new();
            for number in numbers {
                let placed = insert(&mut ranges, Seq(number));
                prop_assert_eq!(placed != Placed::Seen, set.insert(number));
            }
            let held: Vec<u64> = ranges.iter().flat_map(|r| r.first.0..=r.last.0).collect();
            prop_assert_eq!(&held, &set.iter().copied().collect::<Vec<_>>());
            prop_assert!(ranges.windows(2).all(|w| w[0].last.0 + 1 < w[1].first.0), "ranges touch: {:?}", ranges);

            let top = set.last().copied().max(announced).unwrap_or(0);
            let absent: Vec<u64> = (1..=top).filter(|n| !set.contains(n)).collect();
            let gaps = missing(&ranges, announced.map(Seq));
            prop_assert_eq!(gaps.iter().flat_map(|r| r.first.0..=r.last.0).collect::<Vec<_>>(), absent);
        }
    }
}
