"""A plan of a school with all its cameras on it, as full as one can be, for fill.py."""

import hashlib
import json
import struct
import zlib

WIDTH, HEIGHT = 2_400, 1_500
# As many of each as the hub takes.
MOST = 200


def picture():
    """Buildings on white, as PNG."""
    rows = bytearray()
    for y in range(HEIGHT):
        inside = (y // 150) % 2 == 1
        rows += b"\0" + b"".join((b"\xdf\xe5\xea" if inside and (x // 200) % 2 == 1 else b"\xff\xff\xff") * 100 for x in range(0, WIDTH, 100))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


def placed(draw, edges, zones):
    """`zones` of each camera; cameras in a grid, not quite straight, and a zone before each tenth."""
    def at(x, y):
        return {"x": round(min(1, max(0, x)), 4), "y": round(min(1, max(0, y)), 4)}

    every = [(edge, camera) for edge in edges for camera in zones][:MOST]
    across = 20
    cameras, areas = [], []
    for n, (edge, camera) in enumerate(every):
        x = (n % across + 0.5 + draw.uniform(-0.2, 0.2)) / across
        y = (n // across + 0.5 + draw.uniform(-0.2, 0.2)) / (MOST / across)
        cameras.append({"edge": edge, "camera": camera, "at": at(x, y), "view": {"direction_deg": draw.randrange(360), "angle_deg": 70}})
        if n % 10 == 0:
            zone, label = zones[camera]
            outline = [at(x + dx, y + dy) for dx, dy in ((-0.02, 0.01), (0.03, 0.01), (0.03, 0.06), (-0.02, 0.06))]
            areas.append({"label": f"{label}{n // 10 + 1}", "outline": outline, "shows": {"edge": edge, "camera": camera, "zone": zone}})
    sensors = [{"edge": edge, "sensor": f"fence-{n}", "at": at(draw.random(), 0.02 if n == 1 else 0.98)} for edge in edges for n in (1, 2)][:MOST]
    return {"cameras": cameras, "zones": areas, "sensors": sensors}


def fill(db, draw, schools, zones, person, change, now):
    """`schools`: the boxes of each site that gets a plan. Gives the number of the last change."""
    content = picture()
    for site, edges in schools.items():
        change += 1
        db.execute("INSERT INTO plan VALUES (?, ?, ?, ?, ?)", (site, change, now, person, json.dumps(placed(draw, edges, zones), ensure_ascii=False)))
        db.execute("INSERT INTO plan_picture VALUES (?, 'png', ?, ?, ?, ?, ?)",
                   (site, WIDTH, HEIGHT, len(content), hashlib.sha256(content).hexdigest(), content))
    return change
