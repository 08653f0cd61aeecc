"""Fills a hub's empty SQLite database with a district: 10,000 boxes, and half a year of alarms and incidents.

    python3 fill.py DATABASE [DEVICES [INCIDENTS]]

The hub has to have made the database (and stopped), and an account has to exist for the steps to be somebody's. What is written is what the
hub itself would have written, short of the events and the pictures: alarms, incidents, their timelines with true hashes, devices with their health,
how those of the first school fared (telemetry.py), and plans of ten schools (plans.py).
The numbers are drawn with a fixed seed, so that two runs compare.
"""

import hashlib
import json
import random
import sqlite3
import sys
import time

import plans
import telemetry

DAYS = 180
OPEN = 400
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PLANNED = 10
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
S = 1_000_000_000

CAMERAS = [("east-gate", "东门"), ("playground", "操场"), ("north-wall", "北围墙"), ("car-park", "停车场")]
ZONES = {"east-gate": ("lawn", "草坪"), "playground": ("stand", "看台"), "north-wall": ("fence", "围栏"), "car-park": ("exit", "出口")}
KINDS = ["zone_intrusion"] * 50 + ["line_crossing"] * 20 + ["loitering"] * 12 + ["vehicle_stopped"] * 8 + ["object_left"] * 4 + ["overcrowding"] * 3 + [
    "camera_tamper"] * 3
REASONS = ["plant"] * 40 + ["light"] * 20 + ["animal"] * 20 + ["insect"] * 8 + ["authorised"] * 6 + ["reflection"] * 4 + ["rule"] * 2
FED_BACK = ["现场无异常", "人员已劝离", "车辆已驶离", "围栏完好，一名学生取球", "已移交警方"]


def ulid(at_ns, number):
    value = (at_ns // 1_000_000 << 80) | number
    return "".join(PAIRS[value >> shift & 1023] for shift in range(120, -1, -10))


def iso(at_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ns // S)) + f".{at_ns % S // 1_000_000:03d}Z"


def health(edge, draw, now):
    """As a box with four cameras, two sensors says it; about 2 kB."""
    def camera(name, label):
        faulted = draw.random() < 0.01
        state = {"name": "faulted", "reason": "it cannot be reached: check url, the cable and the camera's power"} if faulted else {"name": "streaming"}
        zone, zone_label = ZONES[name]
        return {
            "camera": name, "label": label, "zones": [{"zone": zone, "label": zone_label}], "state": state, "decoder": "avdec_h264",
            **({} if faulted else {"attention": draw.choice(["idle", "idle", "awake"])}),
            "frames_sampled": 86_000, "frames_analysed": 9_100, "frames_still": 76_800, "frames_dropped": 100, "last_frame": iso(now),
        }

    return {
        "edge": edge, "time": iso(now), "boot": ulid(now - 86_400 * S, 7), "uptime_ms": 86_400_000, "version": "0.1.0",
        "recorded": [], "outbox": {"queued": 0, "disk_bytes": 524_288},
        "cameras": [camera(*one) for one in CAMERAS],
        "sensors": [
            {"sensor": f"fence-{n}", "label": f"北围栏{n}段", "input": "fence", "state": "rest", "last_seen": iso(now), "readings": 40_000, "errors": 2}
            for n in (1, 2)
        ],
        "areas": [],
        "inference": {"model": "centernet-512", "mean_ms": 84.3, "failures": 0, "load": 0.42, "failing": False, "workers": 2, "model_file": "as_loaded"},
        "disk_free_bytes": 48_300_000_000,
    }


def main(path, devices=10_000, incidents=1_000_000):
    draw = random.Random(20261201)
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = OFF", "journal_mode = WAL", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}")
    people = [name for (name,) in db.execute("SELECT name FROM person ORDER BY name")]
    if not people:
        sys.exit(f"{path}: nobody has an account; run `gatepost-hub person add` first")
    if db.execute("SELECT count(*) FROM incident").fetchone() != (0,):
        sys.exit(f"{path}: there are incidents already; only an empty database is filled")
    now = time.time_ns()
    begin = now - DAYS * 86_400 * S
    edges = [f"gate-{n}" for n in range(1, devices + 1)]
    change = db.execute("SELECT last FROM change_number").fetchone()[0]

    db.execute("BEGIN")
    for n, edge in enumerate(edges):
        seen = now - int(draw.random() * 30 * S) if draw.random() < 0.98 else now - 5_000 * S
        change += 1
        db.execute("INSERT INTO device (edge, presence, last_seen, health, change) VALUES (?, ?, ?, ?, ?)",
                   (edge, "offline" if seen < now - 100 * S else "unknown", seen, json.dumps(health(edge, draw, seen), ensure_ascii=False), change))
        db.executemany("INSERT INTO label VALUES (?, ?, ?, ?)",
                       [(edge, c, "", label) for c, label in CAMERAS] + [(edge, c, *ZONES[c]) for c, _ in CAMERAS])
    # 50 schools of a district each have a two-hundredth of the boxes; the others belong to none.
    schools = {f"school-{s + 1}": edges[s : devices // 4 : 50] for s in range(min(50, devices // 4))}
    for s, (site, its) in enumerate(schools.items(), 1):
        db.execute("INSERT INTO site (site, label) VALUES (?, ?)", (site, f"第{s}小学"))
        db.executemany("INSERT INTO site_edge VALUES (?, ?)", [(edge, site) for edge in its])
    db.execute("COMMIT")

    # Some boxes cry wolf more than others, and the day more than the night.
    weights = [draw.paretovariate(1.3) for _ in edges]
    where = draw.choices(edges, weights, k=incidents)
    times = sorted(begin + int(draw.random() * (now - begin)) for _ in range(incidents))
    number = db.execute("SELECT coalesce(max(number), 0) FROM incident_step").fetchone()[0]
    previous = "0" * 64
    # The open ones are of the last days.
    open_ones = set(draw.sample(range(max(0, incidents - 20_000), incidents), min(OPEN, incidents)))
    for start in range(0, incidents, 20_000):
        alarms, rows, links, steps = [], [], [], []
        for i in range(start, min(start + 20_000, incidents)):
            at, edge = times[i], where[i]
            camera, _ = CAMERAS[draw.randrange(4)]
            zone = ZONES[camera][0]
            kind = KINDS[draw.randrange(len(KINDS))]
            severity = draw.choices((1, 2, 3, 4), (2, 18, 50, 30))[0]
            lasted = draw.randrange(2, 90) * S
            alarm, first, last = ulid(at, i), ulid(at, 1 << 40 | i), ulid(at + lasted, 2 << 40 | i)
            cause = "covered" if kind == "camera_tamper" else None
            obj = None if cause or kind == "object_left" else "car" if kind == "vehicle_stopped" else "person"
            rule = None if cause else f"{zone}-closed"
            change += 1
            alarms.append((alarm, edge, kind, camera, None if cause else zone, rule, obj, cause, severity, 2, "began", at, first, "ended", at + lasted, last,
                           at + S // 5, at, change))
            incident, opened = ulid(at + S // 4, 3 << 40 | i), at + S // 4
            who = people[i % len(people)]
            looked = opened + draw.randrange(8, 400) * S
            stage, outcome, reason, closed, said = "closed", "real", None, looked + draw.randrange(60, 3_600) * S, []
            said.append((opened, None, "open", "reported", None, {"alarm": alarm}))
            if i in open_ones:
                stage, outcome, closed = ("reported", None, None) if draw.random() < 0.7 else ("triaged", "real", None)
                looked = None if stage == "reported" else looked
                if looked:
                    said.append((looked, who, "triage", "triaged", None, {"outcome": "real"}))
            elif draw.random() < 0.85:
                outcome, reason, closed = "false_alarm", REASONS[draw.randrange(100)], looked
                said.append((looked, who, "triage", "closed", None, {"outcome": "false_alarm", "reason": reason}))
            else:
                said.append((looked, who, "triage", "triaged", None, {"outcome": "real"}))
                said.append((closed, who, "close", "closed", FED_BACK[i % len(FED_BACK)], {}))
            change += 1
            rows.append((incident, edge, kind, camera, None if cause else zone, cause, obj, rule, severity, 1, 0, at, at + lasted, opened, looked, closed, stage,
                         int(closed is None), outcome, reason, len(said), change))
            links.append((alarm, incident))
            for version, (when, actor, action, to, text, detail) in enumerate(said, 1):
                number += 1
                document = json.dumps({
                    "number": number, "incident": incident, "version": version, "time": iso(when), "who": actor and f"{actor} ({actor})", "action": action,
                    "to": to, "text": text, "detail": detail, "previous": previous,
                }, ensure_ascii=False, separators=(",", ":"))
                previous = hashlib.sha256(document.encode()).hexdigest()
                steps.append((number, incident, version, when, actor, action, document, previous))
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO alarm (id, edge, kind, camera, zone, rule, object, cause, severity, events, first_phase, first_time, first_event, latest_phase, "
            "latest_time, latest_event, received, placed, change) VALUES (" + ", ".join("?" * 19) + ")", alarms)
        db.executemany(
            "INSERT INTO incident (id, edge, kind, camera, zone, cause, object, rule, severity, alarms, ongoing, first, last, opened, acknowledged, closed, "
            "stage, is_open, outcome, reason, version, change, reminded) VALUES (" + ", ".join("?" * 22) + ", 0)", rows)
        db.executemany("INSERT INTO incident_alarm (alarm, incident, ongoing) VALUES (?, ?, 0)", links)
        db.executemany("INSERT INTO incident_step (number, incident, version, time, actor, action, document, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", steps)
        db.execute("COMMIT")
    db.execute("BEGIN")
    planned = dict(list(schools.items())[:PLANNED])
    change = plans.fill(db, draw, planned, ZONES, people[0], change, now)
    for its in list(planned.values())[:1]:
        telemetry.fill(db, draw, its, [camera for camera, _ in CAMERAS], ulid(now - 40 * 86_400 * S, 7), now)
    db.execute("COMMIT")
    db.execute("UPDATE change_number SET last = ?", (change,))
    # Nothing is left to be grouped.
    db.execute("UPDATE incident_position SET change = ?", (change,))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
