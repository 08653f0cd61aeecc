"""What a CenterNet sees, decoded as the edge decodes it, and how alike two models see."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Boxes:
    """Boxes by falling score: `xyxy` in input pixels."""

    xyxy: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def decode(heat: np.ndarray, size: np.ndarray, stride: int, least: float, nms_iou: float) -> Boxes:
    """`heat` is [1, classes, rows, columns], `size` [1, 4, rows, columns]: distances to the edges, input pixels."""
    heat, size = heat[0], size[0]
    _, rows, columns = heat.shape
    classes, row, column = np.nonzero(heat >= least)
    scores = heat[classes, row, column]
    peak = np.ones(len(scores), bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            near = heat[classes, np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)]
            peak &= near <= scores
    classes, row, column, scores = classes[peak], row[peak], column[peak], scores[peak]
    left, top, right, bottom = size[:, row, column]
    x, y = column * stride, row * stride
    xyxy = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    for i in order:
        same = [k for k in kept if classes[k] == classes[i]]
        if not same or iou(xyxy[[i]], xyxy[same]).max() <= nms_iou:
            kept.append(i)
    return Boxes(xyxy[kept], scores[kept], classes[kept])


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `a` with every one of `b`."""
    least, most = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.clip(most - least, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - inside
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)


@dataclass
class Agreement:
    """How one model's boxes agree with another's, which is taken for the truth. Boxes of a class that overlap by half
    are one, best overlap first, each used once. Scores mean what the manifest says: `start` begins a track, `keep`
    continues one."""

    start: float
    keep: float
    truth_boxes: int = 0
    told_boxes: int = 0
    found: int = 0
    kept: int = 0
    right: int = 0
    ious: list[float] = field(default_factory=list)
    score_changes: list[float] = field(default_factory=list)

    def add(self, truth: Boxes, seen: Boxes):
        """One picture."""
        wanted, told = truth.scores >= self.start, seen.scores >= self.start
        self.truth_boxes += int(wanted.sum())
        self.told_boxes += int(told.sum())
        for t, s, overlap in match(truth, seen, self.keep):
            self.found += int(wanted[t] and told[s])
            self.kept += int(wanted[t])
            self.right += int(told[s])
            if wanted[t]:
                self.ious.append(overlap)
                self.score_changes.append(float(seen.scores[s] - truth.scores[t]))

    @property
    def recall(self) -> float:
        """Share of the truth's boxes above `start` that are seen above `start` too."""
        return self.found / max(self.truth_boxes, 1)

    @property
    def kept_recall(self) -> float:
        """Share of the truth's boxes above `start` that are seen at least above `keep`: enough to be followed on."""
        return self.kept / max(self.truth_boxes, 1)

    @property
    def precision(self) -> float:
        """Share of the boxes seen above `start` where the truth has one above `keep`."""
        return self.right / max(self.told_boxes, 1)


def match(truth: Boxes, seen: Boxes, keep: float, least_iou: float = 0.5) -> list[tuple[int, int, float]]:
    """Pairs of boxes above `keep` that are the same thing, with their overlap."""
    overlaps = iou(truth.xyxy, seen.xyxy)
    overlaps[truth.classes[:, None] != seen.classes[None, :]] = 0
    overlaps[truth.scores < keep] = 0
    overlaps[:, seen.scores < keep] = 0
    pairs = []
    while overlaps.size and overlaps.max() > least_iou:
        t, s = np.unravel_index(overlaps.argmax(), overlaps.shape)
        pairs.append((int(t), int(s), float(overlaps[t, s])))
        overlaps[t], overlaps[:, s] = 0, 0
    return pairs
