#!/usr/bin/env python3
"""Scores tracks against a ground truth: MOTA, IDF1, switches and fragments by motmetrics, HOTA by TrackEval.

    gatepost-edge analyse --input CLIP --mot-out tracks.txt --covered-out frames.jsonl
    .fetched/python/bin/python accuracy/tracking.py TRUTH tracks.txt --analysed frames.jsonl

TRUTH and tracks are in MOTChallenge's columns (frame from 1, id, left, top, width, height, pixels). Only frames that
were analysed count, up to the last one the truth speaks of: a truth may cover the beginning of a clip.

MOTChallenge marks some people of its truth with 0 in the seventh column: "do not count". They are there, so by default
finding them counts neither way. `--strict` takes them out of the truth as MOT15's own scripts do: finding them is false.
"""

import argparse
import contextlib
import json
import sys
from collections import Counter, defaultdict

import motmetrics
import numpy
from scipy.optimize import linear_sum_assignment

# It tells standard output which of its data sets lack a package.
with contextlib.redirect_stdout(sys.stderr):
    from trackeval.metrics import HOTA

# What two boxes must share to be the same thing: MOTChallenge's rule.
SAME_IOU = 0.5


def read_mot(lines):
    """For each frame ids, boxes (left, top, width, height), and whether they count."""
    frames = defaultdict(lambda: ([], [], []))
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split(",")
        if len(fields) < 6:
            raise ValueError(f"line {number}: frame, id, left, top, width, height are needed")
        ids, boxes, counts = frames[int(float(fields[0]))]
        ids.append(int(float(fields[1])))
        boxes.append([float(field) for field in fields[2:6]])
        counts.append(len(fields) < 7 or float(fields[6]) != 0)
    return frames


def chosen(frame, keep):
    ids, boxes, _ = frame
    return [name for name, it in zip(ids, keep) if it], [box for box, it in zip(boxes, keep) if it]


def without_uncounted(truth, tracks, frames, strict):
    """Takes the people that do not count out of the truth and, unless strict, the boxes that found them out of the
    tracks."""
    counted, found = {}, {}
    for frame in frames:
        (_, people, counts), (_, boxes, _) = truth[frame], tracks[frame]
        keep = [True] * len(boxes)
        if not strict and boxes and not all(counts):
            overlap = ious(people, boxes)
            for person, box in zip(*linear_sum_assignment(-numpy.where(overlap >= SAME_IOU, overlap, 0))):
                keep[box] = counts[person] or overlap[person, box] < SAME_IOU
        counted[frame], found[frame] = chosen(truth[frame], counts), chosen(tracks[frame], keep)
    return counted, found


def ious(boxes, others):
    """Intersection over union of each box with each other."""
    a, b = (numpy.array(side, dtype=float).reshape(-1, 4) for side in (boxes, others))
    low = numpy.maximum(a[:, None, :2], b[None, :, :2])
    high = numpy.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    both = numpy.clip(high - low, 0, None).prod(axis=2)
    either = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None] - both
    return numpy.divide(both, either, out=numpy.zeros_like(both), where=either > 0)


def clear_and_identity(truth, tracks, frames):
    """CLEAR MOT and identity measures, and the accumulator they come from."""
    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    for frame in frames:
        (people, boxes), (ids, found) = truth[frame], tracks[frame]
        distance = 1 - ious(boxes, found)
        distance[distance > 1 - SAME_IOU] = numpy.nan
        accumulator.update(people, ids, distance, frameid=frame)
    wanted = ["mota", "idf1", "num_switches", "num_fragmentations", "num_misses", "num_false_positives", "num_objects"]
    summary = motmetrics.metrics.create().compute(accumulator, metrics=wanted, return_dataframe=False)
    return summary, accumulator.mot_events


def hota(truth, tracks, frames):
    """HOTA, averaged over the thresholds of overlap."""
    people = {p: n for n, p in enumerate(sorted({p for frame in frames for p in truth[frame][0]}))}
    numbers = {t: n for n, t in enumerate(sorted({t for frame in frames for t in tracks[frame][0]}))}

    def indices(ids, names):
        return numpy.array([names[name] for name in ids], dtype=int)

    data = {
        "num_gt_ids": len(people),
        "num_tracker_ids": len(numbers),
        "num_gt_dets": sum(len(truth[frame][0]) for frame in frames),
        "num_tracker_dets": sum(len(tracks[frame][0]) for frame in frames),
        "gt_ids": [indices(truth[frame][0], people) for frame in frames],
        "tracker_ids": [indices(tracks[frame][0], numbers) for frame in frames],
        "similarity_scores": [ious(truth[frame][1], tracks[frame][1]) for frame in frames],
    }
    return float(HOTA().eval_sequence(data)["HOTA"].mean())


def breakdown(events):
    """Which people were missed, and which tracks were wrong, how often: the worst first."""

    def counted(kind, column):
        chosen = events[events["Type"] == kind]
        return {int(name): times for name, times in Counter(chosen[column]).most_common(10)}

    return {
        "missed_people": counted("MISS", "OId"),
        "false_tracks": counted("FP", "HId"),
        "switched_people": counted("SWITCH", "OId"),
    }


def score(truth, tracks, frames, strict=False):
    """Every measure, over the frames named."""
    truth, tracks = without_uncounted(truth, tracks, frames, strict)
    summary, events = clear_and_identity(truth, tracks, frames)
    return {
        "frames": len(frames),
        "boxes": int(summary["num_objects"]),
        "mota": round(float(summary["mota"]), 4),
        "idf1": round(float(summary["idf1"]), 4),
        "hota": round(hota(truth, tracks, frames), 4),
        "switches": int(summary["num_switches"]),
        "fragments": int(summary["num_fragmentations"]),
        "misses": int(summary["num_misses"]),
        "false_positives": int(summary["num_false_positives"]),
        "where": breakdown(events),
    }


def analysed_frames(lines):
    return [json.loads(line)["frame"] for line in lines if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", help="ground truth in MOTChallenge's columns")
    parser.add_argument("tracks", help="what `gatepost-edge analyse --mot-out` wrote")
    parser.add_argument("--analysed", required=True, help="what `analyse --covered-out` wrote: which frames count")
    parser.add_argument("--strict", action="store_true", help="finding people marked as not counting is false")
    parser.add_argument("--first", type=int, default=1, help="first frame that counts")
    parser.add_argument("--last", type=int, help="last frame that counts; the truth's last unless given")
    args = parser.parse_args()
    with open(args.truth, encoding="utf-8") as file:
        truth = read_mot(file)
    with open(args.tracks, encoding="utf-8") as file:
        tracks = read_mot(file)
    last = args.last or max(truth, default=0)
    with open(args.analysed, encoding="utf-8") as file:
        frames = [frame for frame in analysed_frames(file) if args.first <= frame <= last]
    if not any(frame in truth for frame in frames):
        sys.exit("no analysed frame has a person in the truth")
    print(json.dumps(score(truth, tracks, frames, args.strict)))


if __name__ == "__main__":
    main()
