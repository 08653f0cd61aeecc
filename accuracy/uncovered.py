#!/usr/bin/env python3
"""How much of the people in a clip would be left uncovered in its pictures.

    gatepost-edge analyse --input CLIP --covered-out covered.jsonl --clip-covered-out clip-covered.jsonl
    python3 accuracy/uncovered.py TRUTH covered.jsonl WIDTH HEIGHT
    python3 accuracy/uncovered.py detections.jsonl clip-covered.jsonl

TRUTH is a ground truth in MOTChallenge's columns (frame from 1, id, left, top, width, height, pixels), covered.jsonl
what `analyse` writes: for snapshots, or (clip-covered) for clips. Prints the share of the people's area outside what is
covered, over all frames that were analysed; every person counts, also those the truth marks as not to be scored.

Where there is no ground truth, detections (`--detections-out`, of the best model there is, at every frame) stand in: every person it
is clearly sure of. That says nothing of people no model sees.
"""

import json
import sys

# What a model that scores true people mostly from 0.35 to 0.65 is sure of.
CLEARLY = 0.35


def union_area(boxes):
    """Area of the union of boxes (left, top, right, bottom)."""
    edges = sorted({y for box in boxes for y in (box[1], box[3])})
    area = 0.0
    for top, bottom in zip(edges, edges[1:]):
        spans = sorted((b[0], b[2]) for b in boxes if b[1] <= top and b[3] >= bottom)
        width, reached = 0.0, float("-inf")
        for left, right in spans:
            width += max(0.0, right - max(left, reached))
            reached = max(reached, right)
        area += width * (bottom - top)
    return area


def clipped(box, width, height):
    left, top, right, bottom = box
    return (max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))


def overlaps(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def uncovered(people, cover):
    """Area of the people, and the part of it outside the cover; both are lists of boxes in one frame."""
    total = union_area(people)
    near = [box for box in cover if any(overlaps(box, person) for person in people)]
    left_open = union_area(people + near) - union_area(near)
    return total, max(0.0, left_open)


def read_truth(lines):
    people = {}
    for line in lines:
        if not line.strip():
            continue
        frame, _, left, top, width, height = (float(value) for value in line.split(",")[:6])
        people.setdefault(int(frame), []).append((left, top, left + width, top + height))
    return people


def read_detections(lines):
    """People a model is clearly sure of, in fractions of the picture."""
    people = {}
    for line in lines:
        said = json.loads(line)
        boxes = [d["box"] for d in said["detections"] if d["class"] == "person" and d["score"] >= CLEARLY]
        if boxes:
            people[said["frame"]] = [tuple(box) for box in boxes]
    return people


def measure(people_by_frame, covered, width, height):
    """Total area of people and what of it is left open, in pixels, and in how many frames."""
    total, left_open, frames = 0.0, 0.0, 0
    for line in covered:
        said = json.loads(line)
        if said["frame"] not in people_by_frame:
            continue
        people = [clipped(box, width, height) for box in people_by_frame[said["frame"]]]
        people = [box for box in people if box[0] < box[2] and box[1] < box[3]]
        scale = (width, height, width, height)
        cover = [tuple(value * by for value, by in zip(box, scale)) for box in said["covered"]]
        area, open_area = uncovered(people, cover)
        total, left_open, frames = total + area, left_open + open_area, frames + 1
    return total, left_open, frames


def main(arguments):
    if len(arguments) not in (2, 4):
        sys.exit(__doc__)
    truth, covered, width, height = arguments + ["1", "1"] if len(arguments) == 2 else arguments
    read = read_detections if len(arguments) == 2 else read_truth
    with open(truth) as truth, open(covered) as covered:
        total, left_open, frames = measure(read(truth), covered, float(width), float(height))
    if total == 0:
        sys.exit("no analysed frame has a person in the truth")
    print(json.dumps({"frames": frames, "uncovered_share": round(left_open / total, 5)}))


if __name__ == "__main__":
    main(sys.argv[1:])
