//! What is in a picture that does not depend on how bright it is lit: where its edges are, cell by cell.

/// Cells across and down. One must hold some edges, and all together must tell half a picture from a whole.
pub(super) const COLUMNS: usize = 16;
pub(super) const ROWS: usize = 12;
/// Smaller pictures cannot be judged.
const LEAST_CELL: usize = 5;
/// Spread of brightness (variance, in levels) below which nothing is spread.
const FLAT: f64 = 1.0;
/// Pixels between which the fine and the coarse differences are taken, to both sides.
const FINE: usize = 1;
const COARSE: usize = 4;

/// A picture of brightness, `width * height` values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels<'p> {
    pub width: usize,
    pub height: usize,
    pub values: &'p [f32],
}

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Cell {
    /// Mean brightness.
    pub mean: f32,
    /// Mean square of fine differences: how strong edges are.
    pub edges: f32,
    /// Fine differences against coarse ones: how sharp edges are, whatever the light.
    pub sharpness: f32,
}

/// The structure of one picture.
#[derive(Debug, Clone)]
pub(super) struct Structure {
    width: usize,
    height: usize,
    /// Strength of the edge at each pixel, smoothed so that a shaking mast does not matter.
    edges: Vec<f32>,
    pub cells: Vec<Cell>,
}

impl Structure {
    /// None when the picture is too small.
    pub(super) fn of(picture: Levels) -> Option<Self> {
        let Levels { width, height, .. } = picture;
        if width < COLUMNS * LEAST_CELL || height < ROWS * LEAST_CELL {
            return None;
        }
        let fine = picture.differences(FINE);
        let coarse = picture.differences(COARSE);
        let cells = cells(width, height)
            .map(|cell| {
                let mean = |values: &[f32]| cell.mean(width, values);
                let (edges, coarse) = (mean(&fine), mean(&coarse));
                Cell { mean: mean(picture.values), edges, sharpness: edges / coarse.max(f32::EPSILON) }
            })
            .collect();
        let strengths: Vec<f32> = fine.iter().map(|square| square.sqrt()).collect();
        Some(Self { width, height, edges: smooth(width, height, &strengths), cells })
    }

    /// How much alike the edges of each cell lie in two pictures of one size, -1 to 1.
    pub(super) fn likeness<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = f32> + 's {
        cells(self.width, self.height).map(|cell| {
            let pairs = cell.pixels(self.width).map(|i| (self.edges[i], other.edges[i]));
            correlation(pairs, 0.0)
        })
    }

    /// How much alike light and dark are spread over two pictures, -1 to 1.
    pub(super) fn likeness_of_light(&self, other: &Self) -> f32 {
        correlation(self.cells.iter().zip(&other.cells).map(|(a, b)| (a.mean, b.mean)), FLAT)
    }
}

impl Levels<'_> {
    /// At each pixel the square of the difference over `step` pixels to both sides, across plus down; 0 near the border.
    fn differences(&self, step: usize) -> Vec<f32> {
        let (width, height) = (self.width, self.height);
        let mut squares = vec![0.0; width * height];
        for y in step..height - step {
            let row = y * width;
            let line = |offset: usize| &self.values[offset..offset + width];
            let (above, here, below) = (line(row - step * width), line(row), line(row + step * width));
            let out = &mut squares[row..row + width];
            for x in step..width - step {
                let (across, down) = (here[x + step] - here[x - step], below[x] - above[x]);
                out[x] = across * across + down * down;
            }
        }
        squares
    }
}

#[derive(Debug, Clone, Copy)]
struct CellBounds {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl CellBounds {
    fn pixels(self, width: usize) -> impl Iterator<Item = usize> {
        (self.top..self.bottom).flat_map(move |y| (self.left..self.right).map(move |x| y * width + x))
    }

    fn mean(self, width: usize, values: &[f32]) -> f32 {
        let count = (self.right - self.left) * (self.bottom - self.top);
        self.pixels(width).map(|i| values[i]).sum::<f32>() / count.max(1) as f32
    }
}

fn cells(width: usize, height: usize) -> impl Iterator<Item = CellBounds> {
    (0..COLUMNS * ROWS).map(move |i| {
        let (column, row) = (i % COLUMNS, i / COLUMNS);
        CellBounds {
            left: column * width / COLUMNS,
            right: (column + 1) * width / COLUMNS,
            top: row * height / ROWS,
            bottom: (row + 1) * height / ROWS,
        }
    })
}

/// The mean of each pixel and its eight neighbours; borders stay.
fn smooth(width: usize, height: usize, values: &[f32]) -> Vec<f32> {
    let mut across = values.to_vec();
    for (out, line) in across.chunks_mut(width).zip(values.chunks(width)) {
        for x in 1..width - 1 {
            out[x] = (line[x - 1] + line[x] + line[x + 1]) / 3.0;
        }
    }
    let mut smooth = across.clone();
    for i in width..width * (height - 1) {
        smooth[i] = (across[i - width] + across[i] + across[i + width]) / 3.0;
    }
    smooth
}

/// Pearson's; 0 when one side has no more than `least` variance.
fn correlation(pairs: impl Iterator<Item = (f32, f32)>, least: f64) -> f32 {
    let (mut n, mut a, mut b, mut aa, mut bb, mut ab) = (0.0f64, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (f64::from(x), f64::from(y));
        n += 1.0;
        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let n = n.max(1.0);
    let spread = |sum: f64, squares: f64| squares / n - sum / n * (sum / n);
    let (of_a, of_b) = (spread(a, aa), spread(b, bb));
    if of_a.min(of_b) <= least.max(1e-9) {
        0.0
    } else {
        ((ab / n - a / n * (b / n)) / (of_a * of_b).sqrt()) as f32
    }
}
