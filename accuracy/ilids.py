#!/usr/bin/env python3
"""Scores alarms against true events the way i-LIDS does.

An alarm that begins within ten seconds after a true event began is a hit. Each event is matched by at most one
alarm and each alarm matches at most one event; whatever is left over is a miss or a false alarm.
"""

import argparse
import json
import statistics

WINDOW = 10.0


def read_alarms(lines, rule=None):
    """When alarms began, in seconds of the clip, from the lines `gatepost-edge analyse --events-out` writes."""
    events = (json.loads(line) for line in lines if line.strip())
    return sorted(
        event["clip_time_ms"] / 1000
        for event in events
        if event["phase"] == "began" and rule in (None, event["rule"])
    )


def match(alarms, truth, window=WINDOW):
    """Pairs of (alarm, event), as many as there can be, and among as many the ones with the fewest doubtful events, and
    among those the ones with the least delay.

    All windows are of one length, so no pairing in which two pairs cross is better than the one in which they do
    not: going through both in order of time finds the best.
    """
    alarms, truth = sorted(alarms), sorted(truth, key=lambda event: event["start"])
    # best[a][e]: (pairs, sure events, delay saved) of the alarms from the a-th and the events from the e-th on.
    best = [[(0, 0, 0.0)] * (len(truth) + 1) for _ in range(len(alarms) + 1)]

    def with_pair(a, e):
        delay = alarms[a] - truth[e]["start"]
        if not 0 <= delay <= window:
            return None
        pairs, sure, saved = best[a + 1][e + 1]
        return pairs + 1, sure + (not truth[e].get("doubtful")), saved - delay

    for a in reversed(range(len(alarms))):
        for e in reversed(range(len(truth))):
            choices = [best[a + 1][e], best[a][e + 1], with_pair(a, e)]
            best[a][e] = max(choice for choice in choices if choice is not None)
    pairs, a, e = [], 0, 0
    while a < len(alarms) and e < len(truth):
        if best[a][e] == with_pair(a, e):
            pairs.append((alarms[a], truth[e]))
            a, e = a + 1, e + 1
        elif best[a][e] == best[a + 1][e]:
            a += 1
        else:
            e += 1
    return pairs


def score(alarms, truth, window=WINDOW, until=None):
    """Counts of hits, misses and false alarms. Neither doubtful events nor those due after `until` count, nor do
    their alarms: the clip ends before the alarm can be expected."""

    def counts(event):
        return not event.get("doubtful") and (until is None or event["due"] <= until)

    pairs = match(alarms, truth, window)
    of_others = [alarm for alarm, event in pairs if not counts(event)]
    pairs = [(alarm, event) for alarm, event in pairs if counts(event)]
    alarms = without(alarms, of_others)
    truth = [event for event in truth if counts(event)]
    hits, misses, false_alarms = len(pairs), len(truth) - len(pairs), len(alarms) - len(pairs)
    delays = [alarm - event["due"] for alarm, event in pairs]
    matched = [id(event) for _, event in pairs]
    return {
        "events": len(truth),
        "alarms": len(alarms),
        "hits": hits,
        "misses": misses,
        "false_alarms": false_alarms,
        "recall": ratio(hits, len(truth)),
        "precision": ratio(hits, len(alarms)),
        "f1": ratio(2 * hits, 2 * hits + misses + false_alarms),
        # From the moment the rule's condition was first true, not from the first step inside.
        "median_delay_s": round(statistics.median(delays), 3) if delays else None,
        "missed": [event for event in truth if id(event) not in matched],
        "false": without(alarms, [alarm for alarm, _ in pairs]),
    }


def ratio(part, whole):
    return part / whole if whole else None


def without(alarms, matched):
    """The alarms that are left when each matched one is taken away once."""
    left = list(alarms)
    for alarm in matched:
        left.remove(alarm)
    return left


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", help="what events_truth.py wrote")
    parser.add_argument("events", help="what `gatepost-edge analyse --events-out` wrote")
    parser.add_argument("--rule", help="only this rule's alarms; all unless given")
    parser.add_argument("--until", type=float, help="leave out events that are due later, in seconds of the clip")
    parser.add_argument("--window", type=float, default=WINDOW, help="seconds an alarm may come after the start")
    args = parser.parse_args()
    with open(args.truth, encoding="utf-8") as file:
        truth = json.load(file)
    with open(args.events, encoding="utf-8") as file:
        alarms = read_alarms(file, args.rule)
    print(json.dumps(score(alarms, truth, args.window, args.until), indent=1))


if __name__ == "__main__":
    main()
