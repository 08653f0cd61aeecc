"""Compares ONNX Runtime's tensors with those TensorFlow.js left beside each frame.

    python compare.py MODEL.onnx WIDTHxHEIGHT FRAME.rgb...

Without graph optimisation, the two must agree: this checks the conversion. With it, they must
agree as well: the edge runs that way, and a runtime that swaps in its own hard-swish (the source
stores 1/6 as 0.1666) would answer with another model than the one measured.
"""

import sys

import numpy as np
import onnxruntime

HEATMAP_TOLERANCE = 1e-3
# Boxes are what the product sees: every peak above this score must be there, in the same place.
PEAK_SCORE = 0.2
BOX_TOLERANCE_PIXELS = 0.1


def main(model, size, frames):
    ok = True
    for label, level in (
        ("optimisation off", onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL),
        ("optimisation on", onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL),
    ):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        # The converter keeps some of the original's 80 classes and says which.
        classes = [int(number) for number in session.get_modelmeta().custom_metadata_map["source_classes"].split(",")]
        ok &= compare(label, session, classes, size, frames)
    return ok


def compare(label, session, classes, size, frames):
    heatmap_off = wh_off = box_off = original_max = converted_max = 0.0
    peaks = lost = gained = 0
    width, height = (int(side) for side in size.split("x"))
    for frame in frames:
        image = np.fromfile(frame, np.uint8).reshape(1, height, width, 3)
        want_heatmap = original(frame, "heatmap", 80, height, width)[classes]
        want_wh = original(frame, "wh", 4, height, width)
        heatmap, wh = (tensor[0] for tensor in session.run(["heatmap", "wh"], {"image": image}))
        heatmap_off = max(heatmap_off, np.abs(heatmap - want_heatmap).max())
        wh_off = max(wh_off, np.abs(wh - want_wh).max())
        original_max = max(original_max, want_heatmap.max())
        converted_max = max(converted_max, heatmap.max())
        want_boxes, boxes = decode(want_heatmap, want_wh), decode(heatmap, wh)
        peaks += len(want_boxes)
        lost += len(want_boxes.keys() - boxes.keys())
        gained += len(boxes.keys() - want_boxes.keys())
        for peak in want_boxes.keys() & boxes.keys():
            box_off = max(box_off, np.abs(want_boxes[peak] - boxes[peak]).max())
    ok = heatmap_off < HEATMAP_TOLERANCE and not lost and not gained and box_off < BOX_TOLERANCE_PIXELS
    print(
        f"{'ok  ' if ok else 'FAIL'} {size}, {label}: {len(frames)} frames; heatmap differs by at most {heatmap_off:.1e}"
        f" (allowed {HEATMAP_TOLERANCE:.0e}), maximum {original_max:.6f} original, {converted_max:.6f} converted;"
        f" wh by {wh_off:.1e} px; of {peaks} peaks above {PEAK_SCORE} {lost} lost, {gained} gained,"
        f" boxes moved by at most {box_off:.1e} px"
    )
    return ok


def original(frame, name, channels, height, width):
    return np.fromfile(f"{frame}.{name}", "<f4").reshape(height // 4, width // 4, channels).transpose(2, 0, 1)


def decode(heatmap, wh):
    """(class, y, x) of each peak -> its box in input pixels, before suppression of duplicates."""
    classes, height, width = heatmap.shape
    padded = np.pad(heatmap, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    neighbourhood = np.max(
        [padded[:, dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)], axis=0
    )
    found = zip(*np.nonzero((heatmap == neighbourhood) & (heatmap > PEAK_SCORE)))
    return {
        (c, y, x): np.array([4 * x - wh[0, y, x], 4 * y - wh[1, y, x], 4 * x + wh[2, y, x], 4 * y + wh[3, y, x]])
        for c, y, x in found
    }


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1], sys.argv[2], sys.argv[3:]) else 1)
