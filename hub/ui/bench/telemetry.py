"""How the boxes of a district fared: what fill.py writes of some of them, as the hub itself would have put it together."""

import math

S = 1_000_000_000
DAY_S = 86_400
# What the hub keeps: of each width, for how long.
WIDTHS = [(300, 3 * DAY_S), (3_600, 30 * DAY_S)]
REPORT_S = 30
FRAMES_PER_S = 5


def fill(db, draw, edges, cameras, boot, now):
    """Five minutes and hours of every box in `edges`, with a gap each night, and a camera that goes and comes back."""
    for edge in edges:
        boxes, seen, changes = [], [], []
        for width, kept in WIDTHS:
            start = (now // S - kept) // width * width
            for at in range(start, now // S, width):
                if at % DAY_S in range(2 * 3_600, 2 * 3_600 + 2_700):
                    continue
                day = max(0.0, math.sin((at % DAY_S / DAY_S - 0.25) * 2 * math.pi))
                reports = width // REPORT_S

                def amount(value, spread):
                    mean = round(value + draw.uniform(-spread, spread) / 4)
                    return reports, mean * reports, mean - spread, mean + spread

                boxes.append((
                    edge, width, at * S, reports, (at + width - REPORT_S) * S, boot, (at - start) * 1_000,
                    *amount(44_000 + 9_000 * day, 1_200), *amount(82_000 + 14_000 * day, 11_000), *amount(200 + 500 * day, 80),
                    *amount(2, 2), *amount(48_300_000_000, 50_000_000),
                ))
                for camera in cameras:
                    frames = (at - start) * FRAMES_PER_S
                    seen.append((edge, width, at * S, camera, reports, reports, (at + width - REPORT_S) * S, frames, int(frames * (1 - 0.4 * day))))
        for night in range(30):
            at = now - night * DAY_S * S - draw.randrange(DAY_S) * S
            changes += [(edge, at, cameras[night % len(cameras)], "faulted", "it cannot be reached"), (edge, at + 90 * S, cameras[night % len(cameras)], "streaming", None)]
        marks = ", ".join("?" * len(boxes[0]))
        db.executemany(f"INSERT INTO telemetry_box VALUES ({marks})", boxes)
        db.executemany("INSERT INTO telemetry_camera VALUES (" + ", ".join("?" * len(seen[0])) + ")", seen)
        db.executemany("INSERT INTO telemetry_change VALUES (?, ?, ?, ?, ?)", changes)
        db.executemany("INSERT INTO telemetry_standing VALUES (?, ?, 'streaming', NULL, ?)", [(edge, camera, now - 40 * DAY_S * S) for camera in cameras])
        db.execute("INSERT INTO telemetry_standing VALUES (?, '', 'online', NULL, ?)", (edge, now - 40 * DAY_S * S))
