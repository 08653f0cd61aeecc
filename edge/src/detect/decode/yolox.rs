//! YOLOX: one row of values for each cell of several grids (Ge et al., "YOLOX: Exceeding YOLO Series in
//! 2021"), as exported without decoding in the graph: centre offsets and log sizes in units of the stride.

use crate::detect::suppress::{Bounds, Found};

/// Centre x, centre y, width, height, objectness; the classes follow.
pub(super) const BOX_VALUES: usize = 5;

#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub rows: usize,
    pub columns: usize,
    /// Input pixels for each cell.
    pub stride: f32,
}

/// `values` holds `row` numbers for each cell, grid after grid, row-major; objectness and classes are after
/// the sigmoid. The score is objectness times class.
pub(super) fn decode(
    values: &[f32],
    row: usize,
    grids: &[Grid],
    classes: &[usize],
    min_score: f32,
) -> Vec<Found> {
    let cells = grids.iter().flat_map(|grid| {
        (0..grid.rows * grid.columns)
            .map(move |i| ((i % grid.columns) as f32, (i / grid.columns) as f32, grid.stride))
    });
    let mut found = Vec::new();
    for (cell, (column, line, stride)) in values.chunks_exact(row).zip(cells) {
        let objectness = cell[4];
        if objectness < min_score {
            continue;
        }
        let (x, y) = ((cell[0] + column) * stride, (cell[1] + line) * stride);
        let (width, height) = (cell[2].exp() * stride, cell[3].exp() * stride);
        let bounds = Bounds {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        };
        for &class in classes {
            let score = objectness * cell[BOX_VALUES + class];
            if score >= min_score {
                found.push(Found { class, score, bounds });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constructed_tensor_becomes_its_boxes() {
        let grids = [Grid { rows: 2, columns: 2, stride: 8.0 }, Grid { rows: 1, columns: 1, stride: 16.0 }];
        let row = BOX_VALUES + 3;
        let mut values = vec![0.0; 5 * row];
        // First grid, row 1, column 0: centre (0.5, 0.25) of the cell, 16 x 24 pixels, class 2.
        values[2 * row..3 * row].copy_from_slice(&[0.5, 0.25, 2f32.ln(), 3f32.ln(), 0.8, 0.0, 0.9, 0.5]);
        // Second grid's only cell, class 0.
        values[4 * row..].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.9, 0.0, 0.0]);
        let found = decode(&values, row, &grids, &[0, 2], 0.3);
        assert_eq!(found.len(), 2);
        let close = |a: f32, b: f32| (a - b).abs() < 1e-4;
        let Bounds { left, top, right, bottom } = found[0].bounds;
        assert!(found[0].class == 2 && close(found[0].score, 0.4));
        assert!(close(left, 4.0 - 8.0) && close(right, 12.0), "{left} {right}");
        assert!(close(top, 10.0 - 12.0) && close(bottom, 22.0), "{top} {bottom}");
        assert!(found[1].class == 0 && close(found[1].score, 0.81));
        assert!(close(found[1].bounds.left, 0.0) && close(found[1].bounds.right, 16.0));
    }

    #[test]
    fn below_the_score_nothing_is_found() {
        let grid = [Grid { rows: 1, columns: 1, stride: 8.0 }];
        assert!(decode(&[0.5, 0.5, 0.0, 0.0, 0.5, 0.5], 6, &grid, &[0], 0.3).is_empty());
    }
}
