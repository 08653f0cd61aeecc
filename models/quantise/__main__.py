"""Makes an INT8 model of a detector, calibrated on a clip, and says what it costs in accuracy.

    python models/quantise --clip CLIP [--reduce-range] MANIFEST...

The manifests must name one model. Written beside it: NAME-int8.onnx, and a manifest for each given one. Calibrated on
frames of the clip's first half as the first manifest wants them; measured for every manifest on frames of the second
half against the float model, so no ground truth is needed.
"""

import argparse
import hashlib
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from detections import Agreement, decode
from frames import Clip, ClipError
from manifest import Manifest, ManifestError
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATION_FRAMES = 24
HELD_OUT_FRAMES = 24


class Frames(CalibrationDataReader):
    """Frames for the calibrator, one after another."""

    def __init__(self, tensor: str, frames: list[np.ndarray]):
        self.left = iter([{tensor: frame} for frame in frames])

    def get_next(self):
        return next(self.left, None)


def split(clip: Clip) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames to calibrate on and frames held out, spread over the clip's halves."""
    count = sum(1 for _ in clip)
    if count < 2:
        raise ClipError(f"{clip.file}: {count} frame(s) are too few: one half calibrates, the other measures")
    middle = count // 2
    calibrating = set(np.linspace(0, middle - 1, CALIBRATION_FRAMES).astype(int).tolist())
    held_out = set(np.linspace(middle, count - 1, HELD_OUT_FRAMES).astype(int).tolist())
    numbered = [(n, frame) for n, frame in enumerate(clip) if n in calibrating | held_out]
    return [f for n, f in numbered if n in calibrating], [f for n, f in numbered if n in held_out]


def quantise(model: Path, output: Path, tensor: str, frames: list[np.ndarray], reduce_range: bool):
    """Activations to unsigned, weights to signed bytes with a scale for each channel.

    Ranges are the mean over the frames of what each shows: one odd frame does not coarsen all the others.
    """
    # It warns of what is done on purpose.
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            output,
            Frames(tensor, frames),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            extra_options={"CalibMovingAverage": True},
        )


class Detector:
    """A model on one thread, as the edge runs it."""

    def __init__(self, model: Path, manifest: Manifest):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.keys = manifest.keys
        self.seconds: list[float] = []

    def see(self, frame: np.ndarray):
        decoder = self.keys["decoder"]
        # The time of the processor, not of the clock: other programs do not count.
        began = time.process_time()
        outputs = self.session.run([decoder["heatmap"], decoder["size"]], {self.keys["input"]["tensor"]: frame})
        self.seconds.append(time.process_time() - began)
        return decode(*outputs, decoder["stride"], self.keys["scores"]["cover"], decoder["nms_iou"])


def measure(manifest: Manifest, quantised: Path, frames: list[np.ndarray]) -> str:
    """How the quantised model does on frames it was not calibrated on."""
    exact, small = Detector(manifest.model, manifest), Detector(quantised, manifest)
    people = manifest.keys["scores"]["people"]
    agreement = Agreement(people["start"], people["keep"])
    for frame in frames:
        agreement.add(exact.see(frame), small.see(frame))
    if not agreement.truth_boxes:
        raise ClipError(f"nothing is seen in the clip's second half above {people['start']}: another clip is needed")
    speed = np.median(exact.seconds) / np.median(small.seconds)
    return (
        f"{manifest.path.name}, {len(frames)} frames, {agreement.truth_boxes} boxes of the float model above "
        f"{people['start']}:\n"
        f"  seen above {people['start']} too  {agreement.recall:.3f}\n"
        f"  seen above {people['keep']}      {agreement.kept_recall:.3f}  (enough to be followed on)\n"
        f"  precision           {agreement.precision:.3f}\n"
        f"  box overlap (IoU)   {np.mean(agreement.ious or [0]):.3f} mean, {np.min(agreement.ious or [0]):.3f} least\n"
        f"  score               {np.median(agreement.score_changes or [0]):+.3f} median change\n"
        f"  speed               {speed:.2f} times the float model, one thread of this machine\n"
        f"  file                {quantised.stat().st_size / manifest.model.stat().st_size:.2f} of its size"
    )


def main():
    parser = argparse.ArgumentParser(prog="models/quantise", description=__doc__.splitlines()[0])
    parser.add_argument("manifests", type=Path, nargs="+", metavar="MANIFEST")
    parser.add_argument("--clip", type=Path, required=True, help="what the cameras see, in your own light if you can")
    parser.add_argument(
        "--reduce-range",
        action="store_true",
        help="7 bits for weights: for x86 boxes without VNNI, where products of 8 bits overflow",
    )
    arguments = parser.parse_args()
    try:
        run(arguments)
    except (ManifestError, ClipError, OSError, KeyError) as error:
        sys.exit(f"models/quantise: {error}")


def run(arguments):
    manifests = [Manifest.read(path) for path in arguments.manifests]
    first = manifests[0]
    if any(manifest.model != first.model for manifest in manifests):
        raise ManifestError("the manifests name different models: quantise them one after another")
    frames = [split(Clip(arguments.clip, manifest.keys["input"])) for manifest in manifests]
    output = first.model.with_name(f"{first.model.stem}-int8.onnx")
    # Of the first alone: ranges of one size of picture are not the mean of two.
    calibrating, _ = frames[0]
    print(f"calibrating on {len(calibrating)} frames of {arguments.clip}", flush=True)
    quantise(first.model, output, first.keys["input"]["tensor"], calibrating, arguments.reduce_range)
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    for manifest, (_, held_out) in zip(manifests, frames):
        print(measure(manifest, output, held_out), flush=True)
        described = output.with_name(f"{manifest.path.stem}-int8.toml")
        described.write_text(manifest.quantised(output.name, sha256))
        print(f"written: {described} ([model] manifest = ... in the edge's configuration)", flush=True)


if __name__ == "__main__":
    main()
