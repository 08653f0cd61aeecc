"""Tests of the quantising script: its figures on made-up boxes, and all of it on a made-up detector and clip."""

import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from detections import Agreement, Boxes, decode, iou, match
from frames import Clip, ClipError, placement
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent

MANIFEST = """
name = "tiny"
file = "tiny.onnx"
sha256 = "none"
licence = "made up"
source = "made up"

[input]
tensor = "image"
width = 64
height = 64
multiple = 32
layout = "nhwc"
element = "u8"
channels = "rgb"
fit = "letterbox"

[decoder]
kind = "centernet"
heatmap = "heatmap"
size = "wh"
stride = 4
nms_iou = 0.5

[scores]
cover = 0.1

[scores.people]
sure = 0.6
start = 0.4
keep = 0.2

[classes]
0 = "person"
"""


def boxes(*rows):
    values = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Boxes(values[:, :4], values[:, 4], values[:, 5].astype(int))


def tiny_detector() -> onnx.ModelProto:
    """Bright places are people of 16 pixels."""
    brightness = np.full((1, 3, 4, 4), 1 / (3 * 16 * 255), np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["bytes"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["bytes"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "brightness"], ["heatmap"], strides=[4, 4]),
        helper.make_node("Conv", ["heatmap", "nothing", "eight"], ["wh"]),
    ]
    constants = {
        "brightness": brightness,
        "nothing": np.zeros((4, 1, 1, 1), np.float32),
        "eight": np.full(4, 8, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "h", "w", 3])],
        [
            helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, [1, 1, None, None]),
            helper.make_tensor_value_info("wh", TensorProto.FLOAT, [1, 4, None, None]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def ball(file: Path, frames: int):
    line = f"videotestsrc pattern=ball num-buffers={frames} ! video/x-raw,width=128,height=96,framerate=10/1 ! jpegenc ! avimux"
    command = ["gst-launch-1.0", "-q", *line.split(), "!", "filesink", f"location={file}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Figures(unittest.TestCase):
    def test_overlap(self):
        a = np.array([[0, 0, 10, 10]], np.float32)
        b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
        np.testing.assert_allclose(iou(a, b), [[1, 1 / 3, 0]])

    def test_boxes_are_decoded_as_the_edge_does(self):
        heat, size = np.zeros((1, 2, 4, 4), np.float32), np.full((1, 4, 4, 4), 8, np.float32)
        heat[0, 0, 1, 2], heat[0, 0, 1, 3] = 0.7, 0.6  # a peak and its flank
        heat[0, 1, 3, 0] = 0.3
        seen = decode(heat, size, stride=4, least=0.2, nms_iou=0.5)
        self.assertEqual(seen.xyxy.tolist(), [[0, -4, 16, 12], [-8, 4, 8, 20]])
        self.assertEqual(seen.classes.tolist(), [0, 1])

    def test_the_better_of_two_boxes_of_a_class_stays(self):
        heat, size = np.zeros((1, 1, 4, 4), np.float32), np.full((1, 4, 4, 4), 20, np.float32)
        heat[0, 0, 0, 0], heat[0, 0, 0, 2] = 0.7, 0.6
        self.assertEqual(decode(heat, size, stride=4, least=0.2, nms_iou=0.5).scores.tolist(), [np.float32(0.7)])

    def test_what_is_lost_and_what_is_invented_counts(self):
        truth = boxes((0, 0, 10, 10, 0.9, 0), (20, 0, 30, 10, 0.5, 0), (40, 0, 50, 10, 0.5, 0), (60, 0, 70, 10, 0.3, 0))
        seen = boxes((0, 0, 10, 10, 0.8, 0), (20, 0, 30, 10, 0.3, 0), (80, 0, 90, 10, 0.6, 0), (40, 0, 50, 10, 0.5, 1))
        agreement = Agreement(start=0.4, keep=0.2)
        agreement.add(truth, seen)
        self.assertEqual((agreement.truth_boxes, agreement.told_boxes), (3, 3))
        self.assertAlmostEqual(agreement.recall, 1 / 3)
        self.assertAlmostEqual(agreement.kept_recall, 2 / 3)
        self.assertAlmostEqual(agreement.precision, 1 / 3)

    def test_a_box_is_matched_once(self):
        one = boxes((0, 0, 10, 10, 0.9, 0))
        two = boxes((0, 0, 10, 9, 0.9, 0), (0, 0, 10, 10, 0.8, 0))
        self.assertEqual([(t, s) for t, s, _ in match(one, two, 0.2)], [(0, 1)])

    def test_a_picture_is_placed_as_the_edge_places_it(self):
        square = {"width": 512, "height": 512, "fit": "letterbox", "multiple": 32}
        self.assertEqual(placement(square, 768, 576), ((512, 384), (512, 384)))
        self.assertEqual(placement(square, 1080, 1920), ((288, 512), (288, 512)))
        self.assertEqual(placement({**square, "multiple": None}, 768, 576), ((512, 384), (512, 512)))


class Whole(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        (self.path / "tiny.toml").write_text(MANIFEST)
        onnx.save(tiny_detector(), self.path / "tiny.onnx")

    def quantise(self, *arguments):
        command = [sys.executable, "-B", str(HERE), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True)

    def test_a_model_comes_out_that_sees_the_same(self):
        ball(self.path / "ball.avi", 40)
        # As every processor needs it that may run this: one without VNNI overflows otherwise.
        done = self.quantise("--reduce-range", "--clip", self.path / "ball.avi", self.path / "tiny.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"seen above 0.2 +1\.000")
        self.assertRegex(done.stdout, r"speed +[0-9.]+ times the float model")
        manifest = tomllib.loads((self.path / "tiny-int8.toml").read_text())
        self.assertEqual((manifest["name"], manifest["file"]), ("tiny-int8", "tiny-int8.onnx"))
        hashed = subprocess.run(["sha256sum", self.path / "tiny-int8.onnx"], capture_output=True, text=True)
        self.assertEqual(manifest["sha256"], hashed.stdout.split()[0])
        operations = {node.op_type for node in onnx.load(self.path / "tiny-int8.onnx").graph.node}
        self.assertIn("QuantizeLinear", operations)
        onnxruntime.InferenceSession(self.path / "tiny-int8.onnx", providers=["CPUExecutionProvider"])

    def test_what_cannot_be_done_is_said(self):
        missing = self.quantise("--clip", self.path / "none.avi", self.path / "tiny.toml")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("none.avi: there is no such file", missing.stderr)
        (self.path / "notes.avi").write_text("no video")
        garbage = self.quantise("--clip", self.path / "notes.avi", self.path / "tiny.toml")
        self.assertIn("notes.avi: GStreamer makes no picture of it", garbage.stderr)
        (self.path / "tiny.toml").write_text(MANIFEST.replace('"u8"', '"f32"'))
        other = self.quantise("--clip", self.path / "notes.avi", self.path / "tiny.toml")
        self.assertIn("only a centernet that takes nhwc bytes", other.stderr)
        self.assertEqual(len(other.stderr.splitlines()), 1, other.stderr)

    def test_a_clip_gives_its_frames(self):
        ball(self.path / "ball.avi", 7)
        spec = tomllib.loads(MANIFEST)["input"]
        frames = list(Clip(self.path / "ball.avi", spec))
        self.assertEqual([frame.shape for frame in frames], [(1, 64, 64, 3)] * 7)
        self.assertTrue(all(frame[0, :8].max() == 0 and frame.max() > 200 for frame in frames), "letterboxed")
        with self.assertRaises(ClipError):
            Clip(self.path / "none.avi", spec)


if __name__ == "__main__":
    unittest.main()
