"""Frames of a clip as the edge shows them to the model: scaled by GStreamer, letterboxed or stretched."""

import struct
import subprocess
from pathlib import Path

import numpy as np


class ClipError(Exception):
    """The clip cannot be played."""


def placement(input_spec: dict, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size of a picture of `width` x `height` in the model's input, and the input's own size."""
    most = (input_spec["width"], input_spec["height"])
    if input_spec["fit"] == "stretch":
        return most, most
    scale = min(most[0] / width, most[1] / height)
    # Even numbers: chroma is stored for pairs of pixels.
    size = tuple(min(max(int(side * scale) & ~1, 2), limit) for side, limit in zip((width, height), most))
    multiple = input_spec.get("multiple")
    if multiple is None:
        return size, most
    return size, tuple(min(-(-side // multiple) * multiple, limit) for side, limit in zip(size, most))


class Clip:
    """A clip whose frames become model inputs, uint8 [1, height, width, 3]."""

    def __init__(self, file: Path, input_spec: dict):
        self.file, self.pad = file, input_spec.get("pad", 0)
        self.channels = input_spec["channels"].upper()
        self.size, self.input_size = placement(input_spec, *self._picture_size())

    def __iter__(self):
        width, height = self.size
        across, down = self.input_size
        left, top = ((room - side) // 2 & ~1 for room, side in zip(self.input_size, self.size))
        caps = f"video/x-raw,format={self.channels},width={width},height={height},pixel-aspect-ratio=1/1"
        process = self._play(f"videoscale method=bilinear ! videoconvert ! {caps} ! fdsink fd=1")
        # GStreamer pads rows to four bytes.
        stride = (3 * width + 3) & ~3
        with process:
            while packed := process.stdout.read(stride * height):
                if len(packed) < stride * height:
                    raise ClipError(f"{self.file}: it ends in the middle of a frame")
                rows = np.frombuffer(packed, np.uint8).reshape(height, stride)[:, : 3 * width]
                frame = np.full((1, down, across, 3), self.pad, np.uint8)
                frame[0, top : top + height, left : left + width] = rows.reshape(height, width, 3)
                yield frame

    def _picture_size(self) -> tuple[int, int]:
        with self._play("videoconvert ! pngenc snapshot=true ! fdsink fd=1") as process:
            png = process.stdout.read()
        if png[:8] != b"\x89PNG\r\n\x1a\n":
            raise ClipError(f"{self.file}: GStreamer makes no picture of it")
        return struct.unpack(">II", png[16:24])

    def _play(self, rest: str) -> subprocess.Popen:
        if not self.file.is_file():
            raise ClipError(f"{self.file}: there is no such file")
        line = ["gst-launch-1.0", "-q", "filesrc", f"location={self.file}", "!", "decodebin", "!", *rest.split()]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
