//! Reading a model's answer: which tensors hold what, for each kind of model the manifest may name.

mod centernet;
mod yolox;

use super::fit::Size;
use super::manifest::{DecoderKind, Manifest};
use super::suppress::{Found, suppress};

/// The model's answer has another shape than its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tensor {tensor:?} has the shape {shape:?}, the manifest needs {expected}")]
pub struct DecodeError {
    tensor: String,
    shape: Vec<usize>,
    expected: String,
}

/// A tensor: its shape and its values, last axis fastest.
type Tensor<'t> = (Vec<usize>, &'t [f32]);

/// Reads the tensors of one run.
pub(super) struct Decoder {
    kind: DecoderKind,
    classes: Vec<usize>,
    min_score: f32,
}

impl Decoder {
    pub(super) fn new(manifest: &Manifest) -> Self {
        Self {
            kind: manifest.decoder.clone(),
            classes: manifest.class_indices(),
            min_score: manifest.scores.cover,
        }
    }

    /// Boxes in pixels of the model's input, which was `input` large, by falling score, doubles removed.
    /// `tensor` gives an output by its name.
    pub(super) fn decode<'t>(
        &self,
        input: Size,
        tensor: impl Fn(&str) -> Option<Tensor<'t>>,
    ) -> Result<Vec<Found>, DecodeError> {
        let (width, height) = (input.width as usize, input.height as usize);
        let get = |name: &str| tensor(name).unwrap_or((Vec::new(), &[]));
        let (found, nms_iou) = match &self.kind {
            DecoderKind::CenterNet { heatmap, size, stride, nms_iou } => {
                let stride = *stride as usize;
                let (rows, columns) = (height / stride, width / stride);
                let classes = self.class_count();
                let heat = expect(
                    heatmap,
                    get(heatmap),
                    |shape| shape.len() == 4 && shape[1] >= classes && shape[2..] == [rows, columns],
                    || format!("[1, {classes} or more, {rows}, {columns}]"),
                )?;
                let size = expect(
                    size,
                    get(size),
                    |shape| shape == [1, 4, rows, columns],
                    || format!("[1, 4, {rows}, {columns}]"),
                )?;
                let grid = centernet::Grid { rows, columns, stride };
                (centernet::decode(heat, size, grid, &self.classes, self.min_score), nms_iou)
            }
            DecoderKind::Yolox { output, strides, nms_iou } => {
                let grids: Vec<_> = strides
                    .iter()
                    .map(|&stride| yolox::Grid {
                        rows: height / stride as usize,
                        columns: width / stride as usize,
                        stride: stride as f32,
                    })
                    .collect();
                let cells: usize = grids.iter().map(|g| g.rows * g.columns).sum();
                let least = yolox::BOX_VALUES + self.class_count();
                let tensor = get(output);
                let row = tensor.0.last().copied().unwrap_or(0);
                let values = expect(
                    output,
                    tensor,
                    |shape| shape.len() == 3 && shape[1] == cells && shape[2] >= least,
                    || format!("[1, {cells}, {least} or more]"),
                )?;
                (yolox::decode(values, row, &grids, &self.classes, self.min_score), nms_iou)
            }
        };
        Ok(suppress(found, *nms_iou))
    }

    /// How many classes the model must at least have.
    fn class_count(&self) -> usize {
        self.classes.iter().max().map_or(0, |max| max + 1)
    }
}

fn expect<'t>(
    name: &str,
    (shape, values): Tensor<'t>,
    fits: impl Fn(&[usize]) -> bool,
    expected: impl Fn() -> String,
) -> Result<&'t [f32], DecodeError> {
    if shape.first() == Some(&1) && fits(&shape) && shape.iter().product::<usize>() == values.len() {
        return Ok(values);
    }
    Err(DecodeError { tensor: name.to_owned(), shape, expected: expected() })
}
