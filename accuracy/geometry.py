"""Points, zones and lines as the edge's configuration has them: fractions of the picture."""

import math


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


def beside(a, b, p):
    """More than 0 where the point is on the right of who looks from a to b (y grows downwards)."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def square(point, size):
    """In heights of the picture, so that both directions count alike."""
    return point[0] * size[0] / size[1], point[1]


def nearest(a, b, p):
    along = (b[0] - a[0], b[1] - a[1])
    share = ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / (along[0] ** 2 + along[1] ** 2)
    share = min(1.0, max(0.0, share))
    return a[0] + share * along[0], a[1] + share * along[1]


def offset(points, p, size):
    """How far a point is from a line in heights of the picture; less than 0 on its left."""
    p, points = square(p, size), [square(q, size) for q in points]
    parts = list(zip(points, points[1:]))
    a, b = min(parts, key=lambda part: math.dist(p, nearest(*part, p)))
    return math.copysign(math.dist(p, nearest(a, b, p)), beside(a, b, p))


def crossing(points, start, end, size):
    """1 where a step goes over the line from left to right, -1 from right to left, 0 where it does not."""
    start, end = square(start, size), square(end, size)
    points = [square(q, size) for q in points]
    over = 0
    for a, b in zip(points, points[1:]):
        if (beside(start, end, a) >= 0) != (beside(start, end, b) >= 0):
            over += (beside(a, b, end) >= 0) - (beside(a, b, start) >= 0)
    return over
