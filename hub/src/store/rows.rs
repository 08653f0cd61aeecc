//! Many rows in one statement.

/// Rows in one statement. Beyond it a statement gets no cheaper.
const MOST: usize = 64;

/// Cuts rows into pieces whose sizes are powers of two, so that few different statements are ever prepared.
pub(super) fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = rest.len().min(MOST).checked_ilog2().map(|log| 1 << log)?;
        let (chunk, others) = rest.split_at(size);
        rest = others;
        Some(chunk)
    })
}

/// The number to go on from: that of the last row, when there may be more.
pub(super) fn next<T>(rows: &[T], limit: u16, number: impl Fn(&T) -> i64) -> Option<i64> {
    rows.last().filter(|_| rows.len() >= usize::from(limit)).map(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_few_sizes_and_leave_nothing_out() {
        for length in 0..300 {
            let rows: Vec<usize> = (0..length).collect();
            assert_eq!(chunks(&rows).collect::<Vec<_>>().concat(), rows);
            assert!(chunks(&rows).all(|chunk| chunk.len().is_power_of_two() && chunk.len() <= MOST));
        }
    }
}
