#!/usr/bin/env python3
"""Compares what two builds of gatepost-edge detected in the same frames.

    compare.py REFERENCE OTHER

Both files are written by `gatepost-edge analyse --detections-out`: a JSON object per line,
{"frame": 1, "detections": [{"class": "person", "score": 0.57, "box": [x0, y0, x1, y1]}]}, boxes
as fractions of the frame. Detections of a frame are paired one to one, best overlap first.

Exit status: 0 they agree, 1 they differ, 2 the files cannot be compared.
"""

import json
import sys

OVERLAP = 0.9  # a pair has the same class, and more than this intersection over union,
SCORE = 0.02  # and less than this difference of scores


class Unusable(Exception):
    pass


def read(path):
    frames = {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            frame = int(record["frame"])
            detections = [(str(d["class"]), float(d["score"]), tuple(map(float, d["box"]))) for d in record["detections"]]
            if any(len(box) != 4 for _, _, box in detections):
                raise ValueError("a box has four numbers")
        except (ValueError, KeyError, TypeError) as error:
            raise Unusable(f"{path}:{number}: no line of detections ({error!r}): {line[:100]}") from error
        if frame in frames:
            raise Unusable(f"{path}:{number}: frame {frame} comes twice")
        frames[frame] = detections
    return frames


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def pair(reference, other):
    """Pairs, and what is left over on either side."""
    candidates = sorted(
        (
            (overlap(a[2], b[2]), i, j)
            for i, a in enumerate(reference)
            for j, b in enumerate(other)
            if a[0] == b[0] and abs(a[1] - b[1]) < SCORE
        ),
        key=lambda candidate: -candidate[0],
    )
    pairs, left, right = [], set(range(len(reference))), set(range(len(other)))
    for shared, i, j in candidates:
        if shared > OVERLAP and i in left and j in right:
            pairs.append((shared, reference[i], other[j]))
            left.discard(i)
            right.discard(j)
    return pairs, [reference[i] for i in sorted(left)], [other[j] for j in sorted(right)]


def compare(reference, other):
    """The report's lines, and whether the two agree."""
    if not reference or not any(reference.values()):
        raise Unusable("the reference saw nothing, so there is nothing to compare")
    if reference.keys() != other.keys():
        raise Unusable(f"not the same frames: {len(reference)} in the reference, {len(other)} in the other")
    # Whatever scores about the model's threshold may fall on either side of it.
    floor = min(score for frames in (reference, other) for detections in frames.values() for _, score, _ in detections)
    pairs, borderline, lonely = [], 0, []
    for frame in sorted(reference):
        matched, *rests = pair(reference[frame], other[frame])
        pairs += matched
        for side, rest in zip(("reference", "other"), rests):
            for name, score, box in rest:
                if score < floor + SCORE:
                    borderline += 1
                else:
                    lonely.append(f"frame {frame}: only the {side} has {name} {score:.3f} at {[round(v, 4) for v in box]}")
    lines = [f"{len(reference)} frames, {len(pairs)} detections in both, {len(lonely)} in one only, {borderline} at the threshold left out"]
    if pairs:
        lines.append(
            f"largest differences: score {max(abs(a[1] - b[1]) for _, a, b in pairs):.2g}, "
            f"box edge {max(abs(p - q) for _, a, b in pairs for p, q in zip(a[2], b[2])):.2g} of the frame, "
            f"overlap {min(shared for shared, _, _ in pairs):.5f}"
        )
    # Rounding moves a detection across the threshold now and then, not in numbers.
    return lines + lonely, bool(pairs) and not lonely and borderline <= max(1, len(pairs) // 10)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        lines, agree = compare(*map(read, arguments))
    except Unusable as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
