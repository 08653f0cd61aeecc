#!/usr/bin/env python3
"""Derives when a rule should have raised an alarm from who was where: MOTChallenge ground truth in, true events out.

Zones, lines, dwells and limits are those of the edge's configuration, so they cannot differ from what the alarms came
from. One happening is one event: a short step out, or a moment the ground truth does not cover, does not break it.
"""

import argparse
import json
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass

from geometry import contains, crossing, foot, offset

# Seconds out of an area that do not break a stay, for rules that name none.
GAP = 2.0
# Who stands this fraction of their height beside a line is clear of it: surely from twice as far, never from half.
CLEAR = 0.25
# An alarm about something that builds up may come this much before a truth drawn by hand has it.
EARLY = 1.0


@dataclass(frozen=True)
class Clip:
    """Size in pixels, frames a second, and the seconds by which a stay must differ from the dwell to be sure; with
    any, a crossing by somebody who hardly got clear of the line is not sure either."""

    size: tuple
    fps: float
    margin: float = 0.0

    def seconds(self, frame):
        """Frames are numbered from 1; the first is at 0 s."""
        return (frame - 1) / self.fps


def read_mot(lines):
    """MOTChallenge ground truth: for each person, the boxes by frame, in pixels (left, top, width, height)."""
    people = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split(",")
        if len(fields) < 6:
            raise ValueError(f"line {number}: frame, id, left, top, width, height are needed")
        # Also those a benchmark does not count (a seventh field of 0): they are people all the same.
        people[int(float(fields[1]))][int(float(fields[0]))] = tuple(float(field) for field in fields[2:6])
    return people


def stays(frames, gap):
    """Runs of frames in which no two neighbours are more than `gap` frames apart."""
    runs = []
    for frame in sorted(frames):
        if runs and frame - runs[-1][-1] <= gap:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return runs


def event(person, start, due, end, doubtful=False):
    told = {"person": person, "start": round(start, 3), "due": round(due, 3), "end": round(end, 3)}
    return told | ({"doubtful": True} if doubtful else {})


def frames_inside(boxes, polygon, clip):
    return sorted(frame for frame, box in boxes.items() if contains(polygon, *foot(box, *clip.size)))


def staying(people, polygon, clip, dwell, gap=GAP, only_from_outside=False):
    """One event for each stay of one person: `start` is the first moment inside, `due` the moment the dwell is over."""
    events = []
    for person, boxes in people.items():
        for run in stays(frames_inside(boxes, polygon, clip), gap * clip.fps):
            if only_from_outside and not any(frame < run[0] for frame in boxes):
                continue
            start, end = clip.seconds(run[0]), clip.seconds(run[-1])
            doubtful = abs(end - start - dwell) < clip.margin
            if end - start >= dwell or doubtful:
                events.append(event(person, start, start + dwell, end, doubtful))
    return events


def leaving(people, polygon, clip, dwell):
    """One event for each stay that somebody ended by going out, still in sight."""
    events = []
    for person, boxes in people.items():
        for run in stays(frames_inside(boxes, polygon, clip), GAP * clip.fps):
            after = [frame for frame in boxes if frame > run[-1]]
            if after and clip.seconds(run[-1]) - clip.seconds(run[0]) >= dwell:
                out = clip.seconds(min(after))
                events.append(event(person, out, out, out))
    return events


def loitering(people, polygon, clip, after, gap):
    """Stays of at least `after` seconds; each is due when it has lasted so long."""
    long = staying(people, polygon, clip, after, gap)
    return [{**told, "start": max(told["start"], told["due"] - EARLY)} for told in long]


def crossings(people, points, clip, direction):
    """One event each time somebody who was clear of the line on one side is clear of it on the other, having gone over
    the line itself. It is due when they last went over it."""
    if not clip.margin:
        return crossings_clear_by(CLEAR, people, points, clip, direction)
    sure = crossings_clear_by(2 * CLEAR, people, points, clip, direction)
    events = crossings_clear_by(CLEAR / 2, people, points, clip, direction)

    def is_sure(told):
        return any(it["person"] == told["person"] and abs(it["due"] - told["due"]) < GAP for it in sure)

    return [told if is_sure(told) else told | {"doubtful": True} for told in events]


def crossings_clear_by(clear, people, points, clip, direction):
    events = []
    for person, boxes in people.items():
        side, over, at, before = None, 0, None, None
        for frame in sorted(boxes):
            here, height = foot(boxes[frame], *clip.size), boxes[frame][3] / clip.size[1]
            step = crossing(points, before, here, clip.size) if before else 0
            over, at, before = over + step, frame if step else at, here
            away = offset(points, here, clip.size)
            if side is None:
                side = away > 0
            elif abs(away) >= clear * height:
                was, side = side, away > 0
                way = {(False, True): "left_to_right", (True, False): "right_to_left"}.get((was, side))
                if way and (over > 0) == side and over != 0 and direction in ("both", way):
                    when = clip.seconds(at)
                    events.append(event(person, when, when, when))
                over = 0
    return events


def crowds(people, polygon, clip, limit, hysteresis, hold):
    """One event each time more than `limit` are inside for `hold` seconds, until there are fewer again for as long."""
    counts = defaultdict(int)
    for boxes in people.values():
        for frame in frames_inside(boxes, polygon, clip):
            counts[frame] += 1
    crowded = stays([frame for frame, count in counts.items() if count > limit], 1)
    thick = {frame for frame, count in counts.items() if count > limit - hysteresis}
    events, over = [], -1
    for run in crowded:
        start, end = clip.seconds(run[0]), clip.seconds(run[-1])
        doubtful = abs(end - start - hold) < clip.margin
        if run[0] <= over or (end - start < hold and not doubtful):
            continue
        # It lasts until it has been thin for as long.
        over = run[0]
        while any(frame in thick for frame in range(over, over + int(hold * clip.fps) + 1)):
            over += 1
        due = start + hold
        events.append(event(None, max(0.0, due - EARLY), due, clip.seconds(over), doubtful))
    return events


def truth_events(people, rule, places, clip):
    """The true events of one rule of a configuration; `places` are the zones and lines by name."""
    kind = rule["kind"]
    if kind == "line_crossing":
        events = crossings(people, places[rule["line"]], clip, rule.get("direction", "both"))
    else:
        zone = places[rule["zone"]]
        if kind == "zone_intrusion":
            dwell, way = rule.get("dwell_ms", 1000) / 1000, rule.get("direction", "inside")
            if way == "leaving":
                events = leaving(people, zone, clip, dwell)
            else:
                events = staying(people, zone, clip, dwell, only_from_outside=way == "entering")
        elif kind == "loitering":
            events = loitering(people, zone, clip, rule["after_s"], rule.get("clear_s", 10))
        elif kind == "overcrowding":
            hold = rule.get("hold_ms", 3000) / 1000
            events = crowds(people, zone, clip, rule["limit"], rule.get("hysteresis", 1), hold)
        else:
            raise ValueError(f"rule {rule['id']}: nothing about {kind} can be derived from where people were")
    return sorted(events, key=lambda told: (told["start"], told["person"] or 0))


def camera_of(config, name=None):
    """The rules of a camera, and its zones and lines by name."""
    cameras = {camera["id"]: camera for camera in config["camera"]}
    camera = cameras[name] if name else config["camera"][0]
    places = {zone["id"]: zone["polygon"] for zone in camera.get("zone", [])}
    places |= {line["id"]: line["points"] for line in camera.get("line", [])}
    return camera.get("rule", []), places


def size_of(text):
    width, height = text.lower().split("x")
    return int(width), int(height)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ground_truth", help="MOTChallenge file: frame,id,left,top,width,height,…")
    parser.add_argument("--config", required=True, help="the edge's configuration")
    parser.add_argument("--rule", required=True, help="which of its rules")
    parser.add_argument("--camera", help="whose rules; the first camera's unless given")
    parser.add_argument("--size", type=size_of, required=True, help="of the picture in pixels, such as 768x576")
    parser.add_argument("--fps", type=float, required=True, help="frames a second of the clip")
    parser.add_argument(
        "--margin", type=float, default=0.0, help="seconds by which a stay must differ from the dwell to be sure"
    )
    args = parser.parse_args()
    with open(args.ground_truth, encoding="utf-8") as file:
        people = read_mot(file)
    with open(args.config, "rb") as file:
        rules, places = camera_of(tomllib.load(file), args.camera)
    rule = next((rule for rule in rules if rule["id"] == args.rule), None)
    if rule is None:
        sys.exit(f"{args.config}: there is no rule {args.rule!r}")
    json.dump(truth_events(people, rule, places, Clip(args.size, args.fps, args.margin)), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
