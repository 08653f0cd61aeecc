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
}

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
fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
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
}
