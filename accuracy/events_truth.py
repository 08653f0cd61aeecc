#!/usr/bin/env python3
"""Derives when somebody was in a zone from who was where: MOTChallenge ground truth in, truth events out.

One stay of one person is one event. It begins with the first frame inside; a short step out, or a moment the
ground truth does not cover, does not break it. Stays shorter than the dwell are no events.
"""

import argparse
import json
import sys
from collections import defaultdict


def read_mot(lines):
    """MOTChallenge ground truth: for each person, the boxes by frame, in pixels (left, top, width, height)."""
    people = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split(",")
        if len(fields) < 6:
            raise ValueError(f"line {number}: frame, id, left, top, width, height are needed")
        frame, person = int(float(fields[0])), int(float(fields[1]))
        # A seventh field of 0 marks a box that does not count.
        if len(fields) > 6 and float(fields[6]) == 0:
            continue
        people[person][frame] = tuple(float(field) for field in fields[2:6])
    return people


def contains(polygon, x, y):
    """Is the point inside? Even-odd rule."""
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def foot(box, width, height):
    """The middle of the lower edge as fractions of the picture."""
    left, top, box_width, box_height = box
    return (left + box_width / 2) / width, (top + box_height) / height


def stays(frames, gap):
    """Runs of frames in which no two neighbours are more than `gap` frames apart."""
    runs = []
    for frame in sorted(frames):
        if runs and frame - runs[-1][-1] <= gap:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return runs


def truth_events(people, polygon, size, fps, dwell, gap, margin=0.0):
    """One event for each stay: who (a number of the ground truth), and when, in seconds of the clip.

    `start` is the first moment inside, `due` the moment the dwell is over, `end` the last moment inside. A stay
    whose length differs from the dwell by less than the margin is `doubtful`.
    """
    events = []
    for person, boxes in people.items():
        inside = [frame for frame, box in boxes.items() if contains(polygon, *foot(box, *size))]
        for run in stays(inside, gap * fps):
            # Frames are numbered from 1; the first is at 0 s.
            start, end = (run[0] - 1) / fps, (run[-1] - 1) / fps
            doubtful = abs(end - start - dwell) < margin
            if end - start >= dwell or doubtful:
                event = {"person": person, "start": start, "due": start + dwell, "end": end}
                events.append(event | ({"doubtful": True} if doubtful else {}))
    return sorted(events, key=lambda event: (event["start"], event["person"]))


def polygon_of(text):
    polygon = [tuple(corner) for corner in json.loads(text)]
    if len(polygon) < 3 or any(len(corner) != 2 for corner in polygon):
        raise argparse.ArgumentTypeError("at least three corners are needed: [[0.3, 0.2], …]")
    return polygon


def size_of(text):
    width, height = text.lower().split("x")
    return int(width), int(height)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ground_truth", help="MOTChallenge file: frame,id,left,top,width,height,…")
    parser.add_argument("--zone", type=polygon_of, required=True, help="corners as fractions, as JSON")
    parser.add_argument("--size", type=size_of, required=True, help="of the picture in pixels, such as 768x576")
    parser.add_argument("--fps", type=float, required=True, help="frames a second of the clip")
    parser.add_argument("--dwell", type=float, default=1.0, help="seconds inside before it is an event")
    parser.add_argument("--gap", type=float, default=2.0, help="seconds out that do not break a stay")
    parser.add_argument(
        "--margin", type=float, default=0.0, help="seconds by which a stay must differ from the dwell to be sure"
    )
    args = parser.parse_args()
    with open(args.ground_truth, encoding="utf-8") as file:
        people = read_mot(file)
    events = truth_events(people, args.zone, args.size, args.fps, args.dwell, args.gap, args.margin)
    json.dump(events, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
