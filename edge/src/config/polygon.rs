//! Areas of a picture.

use gatepost_wire::event::Region;
use schemars::JsonSchema;
use serde::Deserialize;

/// A place in the picture as fractions of its width and height; 0,0 is the top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Across, 0 to 1.
    pub x: f32,
    /// Down, 0 to 1.
    pub y: f32,
}

impl Point {
    /// Where the thing in `region` stands: the middle of the box's lower edge.
    pub fn foot_of(region: &Region) -> Self {
        Self { x: (region.left + region.right) / 2.0, y: region.bottom }
    }

    /// The middle of the box.
    pub fn centre_of(region: &Region) -> Self {
        Self { x: (region.left + region.right) / 2.0, y: (region.top + region.bottom) / 2.0 }
    }

    /// How far apart two places are, as a fraction of the picture's height.
    pub fn distance(self, other: Self) -> f32 {
        ((other.x - self.x) * ASPECT).hypot(other.y - self.y)
    }

    /// The place nearest to this one on the straight line from `a` to `b`.
    pub(super) fn nearest_between(self, a: Self, b: Self) -> Self {
        let (dx, dy) = ((b.x - a.x) * ASPECT, b.y - a.y);
        let along = ((self.x - a.x) * ASPECT * dx + (self.y - a.y) * dy) / (dx * dx + dy * dy);
        let along = along.clamp(0.0, 1.0);
        Self { x: a.x + along * (b.x - a.x), y: a.y + along * (b.y - a.y) }
    }

    /// How far beside the direction from `a` to `b` this is: more than 0 on the right-hand side of who looks
    /// along it, less on the left.
    pub(super) fn beside(self, a: Self, b: Self) -> f32 {
        let (dx, dy) = ((b.x - a.x) * ASPECT, b.y - a.y);
        (dx * (self.y - a.y) - dy * (self.x - a.x) * ASPECT) / dx.hypot(dy).max(f32::MIN_POSITIVE)
    }
}

/// Width of a picture by its height. Cameras lie between 4:3 and 16:9, and nothing here needs it exactly: it
/// keeps a step across from counting for less than the same step down.
const ASPECT: f32 = 1.6;

/// A closed area with at least three corners and some extent, whose sides do not cross.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<[f32; 2]>")]
#[schemars(with = "Vec<[f32; 2]>", extend("minItems" = 3, "maxItems" = 64))]
pub struct Polygon {
    corners: Vec<Point>,
}

const MAX_CORNERS: usize = 64;
/// Smaller than this share of the picture is a slip of the pen.
const MIN_AREA: f32 = 1e-4;

impl TryFrom<Vec<[f32; 2]>> for Polygon {
    type Error = String;

    fn try_from(corners: Vec<[f32; 2]>) -> Result<Self, String> {
        if corners.len() < 3 {
            return Err(format!("a polygon needs at least 3 corners, this one has {}", corners.len()));
        }
        if corners.len() > MAX_CORNERS {
            return Err(format!(
                "a polygon has at most {MAX_CORNERS} corners, this one has {}",
                corners.len()
            ));
        }
        if let Some([x, y]) = corners.iter().find(|c| !c.iter().all(|v| (0.0..=1.0).contains(v))) {
            return Err(format!(
                "corner [{x}, {y}] is outside the picture: fractions from 0 to 1 are needed"
            ));
        }
        let polygon = Self { corners: corners.into_iter().map(|[x, y]| Point { x, y }).collect() };
        if polygon.area() < MIN_AREA {
            return Err("the corners enclose no area".into());
        }
        if polygon.crosses_itself() {
            return Err("two sides cross each other: give the corners in order around the area".into());
        }
        Ok(polygon)
    }
}

impl Polygon {
    /// Is the point inside? Even-odd rule; a point on a side may count either way.
    pub fn contains(&self, point: Point) -> bool {
        self.sides()
            .filter(|(a, b)| {
                (a.y > point.y) != (b.y > point.y)
                    && point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x
            })
            .count()
            % 2
            == 1
    }

    /// Where a horizontal line runs inside: pairs of x at which it enters and leaves, left to right.
    pub fn spans_at(&self, y: f32) -> Vec<(f32, f32)> {
        let mut crossings: Vec<f32> = self
            .sides()
            .filter(|(a, b)| (a.y > y) != (b.y > y))
            .map(|(a, b)| (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x)
            .collect();
        crossings.sort_by(f32::total_cmp);
        crossings.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// Does any part of the box lie inside?
    pub fn overlaps(&self, region: &Region) -> bool {
        let corner = |x, y| Point { x, y };
        let corners = [
            corner(region.left, region.top),
            corner(region.right, region.top),
            corner(region.right, region.bottom),
            corner(region.left, region.bottom),
        ];
        let in_box = |p: &Point| {
            (region.left..=region.right).contains(&p.x) && (region.top..=region.bottom).contains(&p.y)
        };
        let edges = || (0..4).map(|i| (corners[i], corners[(i + 1) % 4]));
        corners.iter().any(|&p| self.contains(p))
            || self.corners.iter().any(in_box)
            || self.sides().any(|side| edges().any(|edge| cross(side, edge)))
    }

    fn sides(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }

    fn area(&self) -> f32 {
        self.sides().map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>().abs() / 2.0
    }

    fn crosses_itself(&self) -> bool {
        let sides: Vec<_> = self.sides().collect();
        let neighbours = |i: usize, j: usize| j == i + 1 || (i == 0 && j == sides.len() - 1);
        (0..sides.len())
            .flat_map(|i| (i + 1..sides.len()).map(move |j| (i, j)))
            .filter(|&(i, j)| !neighbours(i, j))
            .any(|(i, j)| cross(sides[i], sides[j]))
    }
}

/// Do two sides have a point in common that is not an end of either?
pub(super) fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(corners: &[[f32; 2]]) -> Result<Polygon, String> {
        corners.to_vec().try_into()
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(
            polygon(&[[0.1, 0.1], [0.9, 0.9]]).unwrap_err().contains("at least 3 corners, this one has 2")
        );
        assert!(polygon(&[[0.1, 0.1], [1.9, 0.1], [0.5, 0.5]]).unwrap_err().contains("outside the picture"));
        assert!(
            polygon(&[[f32::NAN, 0.1], [0.9, 0.1], [0.5, 0.5]]).unwrap_err().contains("outside the picture")
        );
        assert!(polygon(&[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]).unwrap_err().contains("no area"));
        let bow_tie = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.3], [0.1, 0.8]];
        assert!(polygon(&bow_tie).unwrap_err().contains("cross"));
    }

    #[test]
    fn inside_is_inside_also_in_a_bay() {
        let bay = polygon(&[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.5, 0.3], [0.1, 0.9]]).unwrap();
        assert!(bay.contains(Point { x: 0.2, y: 0.5 }));
        assert!(bay.contains(Point { x: 0.8, y: 0.5 }));
        assert!(!bay.contains(Point { x: 0.5, y: 0.6 }));
        assert!(!bay.contains(Point { x: 0.05, y: 0.5 }));
    }

    #[test]
    fn a_box_overlaps_by_a_corner_by_holding_it_and_by_lying_across() {
        let strip = polygon(&[[0.4, 0.0], [0.6, 0.0], [0.6, 1.0], [0.4, 1.0]]).unwrap();
        let region = |left, top, right, bottom| Region { left, top, right, bottom };
        assert!(strip.overlaps(&region(0.3, 0.3, 0.45, 0.5)));
        assert!(strip.overlaps(&region(0.1, 0.3, 0.9, 0.5)), "across");
        assert!(strip.overlaps(&region(0.0, 0.0, 1.0, 1.0)), "all of it");
        assert!(!strip.overlaps(&region(0.1, 0.3, 0.35, 0.5)));
    }
}
