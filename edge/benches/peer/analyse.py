"""The peer of the throughput bench: the same work as an integrator writes it today.

OpenCV reads the clip, ONNX Runtime runs the detector, `supervision` suppresses doubles, tracks (ByteTrack)
and watches a zone. Same model file, same thresholds, every frame, one inference thread. Meant to be good
Python: arrays are reused, decoding is vectorised and looks only at cells above the threshold. OpenCV's video
decoder keeps its own choice of threads, which can only help this side.

Prints one line of JSON. Runs in the environment that `setup/install.sh python-bench` makes.
"""

import argparse
import json
import resource
import sys
import time
import tomllib
import warnings
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import supervision as sv

# The pinned version says of ByteTrack that a later one moves it to another package.
warnings.filterwarnings("ignore", category=FutureWarning)

PERSON = "person"


class Stopwatch:
    """Adds up the seconds spent in each part."""

    def __init__(self):
        self.seconds = Counter()
        self.last = time.perf_counter()

    def lap(self, part: str):
        now = time.perf_counter()
        self.seconds[part] += now - self.last
        self.last = now


class Letterbox:
    """Scales a frame into the model's input and boxes back out of it."""

    def __init__(self, frame_size: tuple[int, int], input_size: tuple[int, int], pad: int):
        frame_width, frame_height = frame_size
        width, height = input_size
        self.scale = min(width / frame_width, height / frame_height)
        self.size = (round(frame_width * self.scale), round(frame_height * self.scale))
        self.left, self.top = (width - self.size[0]) // 2, (height - self.size[1]) // 2
        self.tensor = np.full((1, height, width, 3), pad, dtype=np.uint8)
        right, bottom = self.left + self.size[0], self.top + self.size[1]
        self.inside = self.tensor[0, self.top : bottom, self.left : right]
        offset = (self.left, self.top)
        self.offset = np.array(offset + offset, dtype=np.float32)
        self.bounds = np.array((frame_size + frame_size), dtype=np.float32)

    def fit(self, frame: np.ndarray) -> np.ndarray:
        small = cv2.resize(frame, self.size, interpolation=cv2.INTER_LINEAR)
        self.inside[:] = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        return self.tensor

    def to_frame(self, boxes: np.ndarray) -> np.ndarray:
        return np.clip((boxes - self.offset) / self.scale, 0, self.bounds)


class CenterNet:
    """The detector of a manifest whose decoder is `centernet`."""

    def __init__(self, manifest: Path):
        model = tomllib.loads(manifest.read_text())
        kind = (model["decoder"]["kind"], model["input"]["layout"], model["input"]["element"])
        if kind != ("centernet", "nhwc", "u8"):
            raise SystemExit(f"{manifest}: the peer knows centernet with nhwc and u8 only")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        file = manifest.parent / model["file"]
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.input = model["input"]
        self.outputs = [model["decoder"]["heatmap"], model["decoder"]["size"]]
        self.stride = model["decoder"]["stride"]
        self.nms_iou = model["decoder"]["nms_iou"]
        people = model["scores"]["people"]
        self.start, self.keep = people["start"], people["keep"]
        self.classes = np.array([int(index) for index in model["classes"]])
        self.person = next(int(index) for index, name in model["classes"].items() if name == PERSON)

    def infer(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heat, size = self.session.run(self.outputs, {self.input["tensor"]: tensor})
        return heat[0], size[0]

    def decode(self, heat: np.ndarray, size: np.ndarray, letterbox: Letterbox) -> sv.Detections:
        planes = heat[self.classes]
        plane, row, column = np.nonzero(planes >= self.keep)
        score = planes[plane, row, column]
        # A peak is the greatest of its 3 x 3 cells; only the few cells above the threshold are compared.
        rows, columns = planes.shape[1:]
        peak = np.ones(len(score), dtype=bool)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                near = planes[plane, np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)]
                peak &= near <= score
        plane, row, column, score = plane[peak], row[peak], column[peak], score[peak]
        left, top, right, bottom = size[:, row, column]
        x, y = column * self.stride, row * self.stride
        boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
        found = sv.Detections(
            xyxy=letterbox.to_frame(boxes), confidence=score, class_id=self.classes[plane]
        )
        return found.with_nms(threshold=self.nms_iou, class_agnostic=False)


class Intrusions:
    """People who stay in a zone for the dwell time, each told once."""

    def __init__(self, zone: sv.PolygonZone, person: int, dwell_s: float):
        self.zone, self.person, self.dwell_s = zone, person, dwell_s
        self.since: dict[int, float] = {}
        self.told: set[int] = set()

    def see(self, tracked: sv.Detections, now: float) -> int:
        people = tracked[tracked.class_id == self.person]
        inside = people.tracker_id[self.zone.trigger(people)].tolist()
        self.since = {track: self.since.get(track, now) for track in inside}
        long = {track for track, since in self.since.items() if now - since >= self.dwell_s}
        new = long - self.told
        self.told |= new
        return len(new)


def analyse(clip: Path, detector: CenterNet, polygon: np.ndarray, dwell_s: float, frames_out) -> dict:
    watch = Stopwatch()
    capture = cv2.VideoCapture(str(clip))
    if not capture.isOpened():
        raise SystemExit(f"{clip}: OpenCV cannot play it")
    fps = capture.get(cv2.CAP_PROP_FPS) or 25.0
    frame_size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    input_size = (detector.input["width"], detector.input["height"])
    letterbox = Letterbox(frame_size, input_size, detector.input["pad"])
    # ByteTrack starts a track at its activation threshold plus 0.1.
    tracker = sv.ByteTrack(track_activation_threshold=detector.start - 0.1, frame_rate=fps)
    zone = sv.PolygonZone(polygon=np.round(polygon * frame_size).astype(int))
    intrusions = Intrusions(zone, detector.person, dwell_s)
    frames, people, alerts, tracks = 0, 0, 0, set()
    while True:
        more, frame = capture.read()
        watch.lap("decode")
        if not more:
            break
        tensor = letterbox.fit(frame)
        watch.lap("fit")
        heat, size = detector.infer(tensor)
        watch.lap("inference")
        found = detector.decode(heat, size, letterbox)
        watch.lap("boxes")
        tracked = tracker.update_with_detections(found)
        watch.lap("track")
        alerts += intrusions.see(tracked, frames / fps)
        watch.lap("zone")
        frames += 1
        sure = (found.class_id == detector.person) & (found.confidence >= detector.start)
        people += int(np.count_nonzero(sure))
        tracks.update(tracked.tracker_id.tolist())
        if frames_out:
            line = {"frame": frames, "boxes": found.xyxy.round(1).tolist(), "scores": found.confidence.tolist()}
            print(json.dumps(line | {"classes": found.class_id.tolist()}), file=frames_out)
        watch.lap("count")
    capture.release()
    seconds = sum(watch.seconds.values())
    return {
        "frames": frames,
        "seconds": round(seconds, 3),
        "fps": round(frames / seconds, 2),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        **{f"{part}_s": round(spent, 3) for part, spent in watch.seconds.items()},
        "people_per_frame": round(people / max(frames, 1), 2),
        "tracks": len(tracks),
        "alerts": alerts,
    }


def point(text: str) -> tuple[float, float]:
    x, y = (float(part) for part in text.split(","))
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError
    return x, y


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--clip", type=Path, required=True, help="video file")
    args.add_argument("--model", type=Path, default=Path("models/centernet-512.toml"), help="manifest")
    args.add_argument(
        "--polygon",
        type=point,
        nargs="+",
        metavar="X,Y",
        default=[(0.30, 0.25), (0.75, 0.25), (0.75, 0.95), (0.30, 0.95)],
        help="corners of the zone in fractions of width and height",
    )
    args.add_argument("--dwell", type=float, default=1.0, help="seconds in the zone before an alert")
    args.add_argument(
        "--frames-out", type=argparse.FileType("w"), help="write what is found, a JSON line for each frame"
    )
    args = args.parse_args()
    if len(args.polygon) < 3:
        sys.exit("--polygon needs three corners or more")
    cv2.setNumThreads(1)
    detector = CenterNet(args.model)
    polygon = np.array(args.polygon)
    print(json.dumps(analyse(args.clip, detector, polygon, args.dwell, args.frames_out)))


if __name__ == "__main__":
    main()
