//! CenterNet: objects are peaks of a heatmap (Zhou et al., "Objects as Points", 2019). This variant gives
//! four distances from the peak to the box's edges.

use crate::detect::suppress::{Bounds, Found};

#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub rows: usize,
    pub columns: usize,
    /// Input pixels for each cell.
    pub stride: usize,
}

/// `heat` is `[classes][rows][columns]` after the sigmoid, `size` is `[4][rows][columns]`: distances to the
/// left, upper, right and lower edge in input pixels.
pub(super) fn decode(
    heat: &[f32],
    size: &[f32],
    grid: Grid,
    classes: &[usize],
    min_score: f32,
) -> Vec<Found> {
    let Grid { rows, columns, stride } = grid;
    let cells = rows * columns;
    let mut found = Vec::new();
    for &class in classes {
        let plane = &heat[class * cells..(class + 1) * cells];
        for (cell, &score) in plane.iter().enumerate() {
            if score < min_score || !is_peak(plane, grid, cell) {
                continue;
            }
            let (x, y) = ((cell % columns * stride) as f32, (cell / columns * stride) as f32);
            let distance = |edge: usize| size[edge * cells + cell];
            let bounds = Bounds {
                left: x - distance(0),
                top: y - distance(1),
                right: x + distance(2),
                bottom: y + distance(3),
            };
            found.push(Found { class, score, bounds });
        }
    }
    found
}

/// Is the cell the greatest of its 3 × 3 neighbourhood? Equals share the peak, suppression picks one.
fn is_peak(plane: &[f32], Grid { rows, columns, .. }: Grid, cell: usize) -> bool {
    let (row, column) = (cell / columns, cell % columns);
    let near = |i: usize, end: usize| i.saturating_sub(1)..=(i + 1).min(end - 1);
    near(row, rows).all(|r| near(column, columns).all(|c| plane[r * columns + c] <= plane[cell]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { rows: 4, columns: 5, stride: 4 };

    #[test]
    fn a_peak_becomes_a_box() {
        let mut heat = vec![0.0; 3 * 20];
        heat[2 * 20 + 7] = 0.6; // class 2, row 1, column 2
        heat[2 * 20 + 8] = 0.5; // its flank
        heat[20 + 7] = 0.9; // a class nobody asked for
        let mut size = vec![0.0; 4 * 20];
        for (edge, distance) in [3.0, 4.0, 5.0, 6.0].into_iter().enumerate() {
            size[edge * 20 + 7] = distance;
        }
        let found = decode(&heat, &size, GRID, &[0, 2], 0.2);
        let bounds = Bounds { left: 5.0, top: 0.0, right: 13.0, bottom: 10.0 };
        assert_eq!(found, vec![Found { class: 2, score: 0.6, bounds }]);
    }

    #[test]
    fn peaks_at_the_border_count_and_weak_ones_do_not() {
        let mut heat = vec![0.0; 20];
        heat[0] = 0.4;
        heat[19] = 0.19;
        let found = decode(&heat, &vec![1.0; 80], GRID, &[0], 0.2);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bounds.left, -1.0);
    }
}
