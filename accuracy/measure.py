#!/usr/bin/env python3
"""Measures tracking, alarms and privacy on a clip with a ground truth. `make accuracy GROUND_TRUTH=FILE` runs it.

Runs `gatepost-edge analyse` at full rate, at 5 and at 3 pictures a second, scores what it writes and prints tables.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tracking
from events_truth import Clip, camera_of, read_mot, size_of, truth_events
from ilids import match, ratio, read_alarms, score
from uncovered import measure as measure_uncovered, read_truth

ROOT = Path(__file__).resolve().parent.parent
RATES = (None, 5.0, 3.0)
# The last second of a truth: an alarm for what begins there cannot be expected.
TAIL = 1.0


def filled_in(site, folder):
    """The configuration with this machine's paths, in a file of its own."""
    text = site.read_text(encoding="utf-8").replace("@ROOT@", str(ROOT)).replace("@ARCH@", platform.machine())
    file = folder / site.name
    file.write_text(text, encoding="utf-8")
    return file


def analyse(edge, clip, last, fps, outputs):
    """Runs the edge on the clip's first frames; its summary is what it prints."""
    command = [edge, "analyse", "--input", clip, "--frames", str(last), *outputs]
    command += ["--fps", str(fps)] if fps else []
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"measure: `{' '.join(map(str, command))}` failed; what it said stands above")
    return json.loads(done.stdout)


def tracks_and_cover(args, truth_lines, folder, fps):
    """Scores of the default detector's tracks, with no configuration, and the share of people left open."""
    tracks, covered = folder / "tracks.txt", folder / "covered.jsonl"
    last = last_frame(truth_lines)
    analyse(args.edge, args.clip, last, fps, ["--mot-out", tracks, "--covered-out", covered])
    truth, found = tracking.read_mot(truth_lines), tracking.read_mot(tracks.read_text().splitlines())
    lines = covered.read_text().splitlines()
    frames = tracking.analysed_frames(lines)
    total, left_open, _ = measure_uncovered(read_truth(truth_lines), lines, *map(float, args.size))
    # Scoring sorts people who do not count out of what it is given.
    strict = tracking.score(truth, found, frames, strict=True)
    return tracking.score(truth, found, frames) | {"strict": strict, "uncovered": left_open / total}


def alarms(args, site, truth_lines, folder, fps):
    """For each rule its kind and its score."""
    out, last = folder / "events.jsonl", last_frame(truth_lines)
    analyse(args.edge, args.clip, last, fps, ["--config", site, "--no-gate", "--events-out", out])
    people, lines = read_mot(truth_lines), out.read_text().splitlines()
    rules, places = camera_of(tomllib.loads(site.read_text(encoding="utf-8")))
    scored = {}
    for rule in rules:
        told = read_alarms(lines, rule["id"])
        sure, every = (scored_rule(args, people, rule, places, told, last, margin) for margin in (args.margin, 0.0))
        scored[rule["id"]] = {"kind": rule["kind"]} | sure | {"every_event": every}
    return scored


def scored_rule(args, people, rule, places, told, last, margin):
    clip = Clip(args.size, args.clip_fps, margin)
    truth = truth_events(people, rule, places, clip)
    delays = [alarm - event["due"] for alarm, event in match(told, truth) if not event.get("doubtful")]
    return {"delays": delays} | score(told, truth, until=clip.seconds(last) - TAIL)


def last_frame(truth_lines):
    return max(int(float(line.split(",")[0])) for line in truth_lines if line.strip())


def print_tracks(fps, told):
    strict = told["strict"]
    print(
        f"{rate_name(fps):>9} {told['mota']:6.3f} {told['idf1']:6.3f} {told['hota']:6.3f} {told['switches']:8}"
        f" {told['fragments']:9} {told['misses']:6} {told['false_positives']:5} {told['boxes']:5}"
        f" {strict['mota']:11.3f} {strict['idf1']:11.3f} {100 * told['uncovered']:8.2f} %"
    )


def print_alarms(fps, margin, scored):
    print(f"\nAlarms at {rate_name(fps)}; what is doubtful by {margin:g} s or half a box counts neither way")
    print(f"{'rule':18} {'kind':15} events  hits misses false    F1 delay s   F1 of every event")
    for rule, told in scored.items():
        print_alarm_line(f"{rule:18} {told['kind']:15}", told, told["every_event"]["f1"])
    every = together([told["every_event"] for told in scored.values()])
    print_alarm_line(f"{'all':34}", together(scored.values()), every["f1"])


def together(scored):
    """The score of all rules as if they were one."""
    scored = list(scored)
    hits, misses, false = (sum(told[key] for told in scored) for key in ("hits", "misses", "false_alarms"))
    delays = [delay for told in scored for delay in told["delays"]]
    return {
        "events": hits + misses,
        "hits": hits,
        "misses": misses,
        "false_alarms": false,
        "f1": ratio(2 * hits, 2 * hits + misses + false),
        "median_delay_s": statistics.median(delays) if delays else None,
    }


def print_alarm_line(name, told, f1_of_every):
    def number(value, form):
        return "-" if value is None else format(value, form)

    print(
        f"{name} {told['events']:6} {told['hits']:5} {told['misses']:6} {told['false_alarms']:5}"
        f" {number(told['f1'], '.3f'):>5} {number(told['median_delay_s'], '.2f'):>7} {number(f1_of_every, '.3f'):>10}"
    )


def rate_name(fps):
    return "full rate" if fps is None else f"{fps:g} fps"


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", type=Path, help="ground truth in MOTChallenge's columns")
    parser.add_argument("--edge", type=Path, default=ROOT / "target/release/gatepost-edge", help="the program measured")
    parser.add_argument("--clip", type=Path, default=ROOT / ".fetched/footage/vtest.avi")
    parser.add_argument("--site", type=Path, default=ROOT / "accuracy/pets09.toml", help="zones and rules")
    parser.add_argument("--size", type=size_of, default=(768, 576), help="of the clip in pixels")
    parser.add_argument("--clip-fps", type=float, default=10.0, help="frames a second of the clip")
    parser.add_argument(
        "--margin", type=float, default=0.5, help="seconds by which a stay must differ from the dwell to be sure"
    )
    parser.add_argument("--json", type=Path, help="also write everything here")
    args = parser.parse_args()
    for file in (args.truth, args.edge, args.clip, args.site):
        if not file.exists():
            parser.error(f"{file}: there is no such file")
    args.edge, args.clip = args.edge.resolve(), args.clip.resolve()
    return args


def main():
    args = parsed()
    truth_lines = args.truth.read_text(encoding="utf-8").splitlines()
    everything = {rate_name(fps): {} for fps in RATES}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        site = filled_in(args.site, folder)
        print(f"Tracks, {last_frame(truth_lines)} frames, no configuration (strict: finding people the truth does not count is false)")
        print("     rate   MOTA   IDF1   HOTA switches fragments misses false boxes strict MOTA strict IDF1 uncovered")
        for fps in RATES:
            told = tracks_and_cover(args, truth_lines, folder, fps)
            print_tracks(fps, told)
            everything[rate_name(fps)]["tracks"] = told
        for fps in RATES:
            told = alarms(args, site, truth_lines, folder, fps)
            print_alarms(fps, args.margin, told)
            everything[rate_name(fps)]["alarms"] = told
    if args.json:
        args.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
