//! Lines in a picture.

use gatepost_wire::ZoneId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Label;
use super::polygon::{Point, cross};

/// A line across the picture.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Name of the line, unique among the lines and areas of this camera.
    pub id: ZoneId,
    /// What people call it.
    pub label: Option<Label>,
    /// Its points in order, as fractions of the picture's width and height. Left and right are those of
    /// somebody who looks from the first to the second.
    pub points: Polyline,
}

/// Two to sixteen points joined by straight lines that do not cross each other.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<[f32; 2]>")]
#[schemars(with = "Vec<[f32; 2]>", extend("minItems" = 2, "maxItems" = 16))]
pub struct Polyline {
    points: Vec<Point>,
}

const MAX_POINTS: usize = 16;
/// Two points closer than this are a slip of the pen.
const MIN_LENGTH: f32 = 0.005;

impl TryFrom<Vec<[f32; 2]>> for Polyline {
    type Error = String;

    fn try_from(points: Vec<[f32; 2]>) -> Result<Self, String> {
        if points.len() < 2 {
            return Err(format!("a line needs at least 2 points, this one has {}", points.len()));
        }
        if points.len() > MAX_POINTS {
            return Err(format!("a line has at most {MAX_POINTS} points, this one has {}", points.len()));
        }
        if let Some([x, y]) = points.iter().find(|p| !p.iter().all(|v| (0.0..=1.0).contains(v))) {
            return Err(format!("point [{x}, {y}] is outside the picture: fractions from 0 to 1 are needed"));
        }
        let line = Self { points: points.into_iter().map(|[x, y]| Point { x, y }).collect() };
        if line.parts().any(|(a, b)| a.distance(b) < MIN_LENGTH) {
            return Err("two points that follow each other are the same".into());
        }
        if line.crosses_itself() {
            return Err("the line crosses itself".into());
        }
        Ok(line)
    }
}

impl Polyline {
    /// How far a point is from the line, as a fraction of the picture's height: more than 0 on the right-hand
    /// side, less on the left.
    pub fn offset(&self, point: Point) -> f32 {
        // Where two parts meet both are equally near; the one seen more squarely knows the side.
        let nearest = self
            .parts()
            .map(|(a, b)| (point.distance(point.nearest_between(a, b)), point.beside(a, b)))
            .min_by(|(near, beside), (other_near, other_beside)| {
                let tie = (near - other_near).abs() < 1e-6;
                if tie { other_beside.abs().total_cmp(&beside.abs()) } else { near.total_cmp(other_near) }
            });
        nearest.map_or(0.0, |(distance, beside)| if beside < 0.0 { -distance } else { distance })
    }

    /// How often a step goes over the line from left to right, less how often from right to left.
    pub fn crossings(&self, from: Point, to: Point) -> i32 {
        let right = |a: Point, b: Point, p: Point| p.beside(a, b) >= 0.0;
        self.parts()
            .filter(|&(a, b)| right(from, to, a) != right(from, to, b))
            .map(|(a, b)| i32::from(right(a, b, to)) - i32::from(right(a, b, from)))
            .sum()
    }

    fn parts(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.points.iter().copied().zip(self.points.iter().copied().skip(1))
    }

    fn crosses_itself(&self) -> bool {
        let parts: Vec<_> = self.parts().collect();
        (0..parts.len()).any(|i| (i + 2..parts.len()).any(|j| cross(parts[i], parts[j])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[[f32; 2]]) -> Result<Polyline, String> {
        points.to_vec().try_into()
    }

    fn at(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(line(&[[0.1, 0.1]]).unwrap_err().contains("at least 2 points, this one has 1"));
        assert!(line(&[[0.5, 0.5]; 17]).unwrap_err().contains("at most 16 points"));
        assert!(line(&[[0.1, 0.1], [1.1, 0.1]]).unwrap_err().contains("outside the picture"));
        assert!(line(&[[0.1, 0.1], [f32::NAN, 0.1]]).unwrap_err().contains("outside the picture"));
        assert!(line(&[[0.1, 0.1], [0.1, 0.1]]).unwrap_err().contains("the same"));
        let loop_ = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.5], [0.5, 0.0]];
        assert!(line(&loop_).unwrap_err().contains("crosses itself"));
    }

    #[test]
    fn left_and_right_are_those_of_who_looks_along_it() {
        // Upwards through the picture: the picture's right is the right-hand side.
        let up = line(&[[0.5, 0.9], [0.5, 0.1]]).unwrap();
        assert!(up.offset(at(0.7, 0.5)) > 0.0 && up.offset(at(0.3, 0.5)) < 0.0);
        assert_eq!(up.crossings(at(0.3, 0.5), at(0.7, 0.5)), 1);
        assert_eq!(up.crossings(at(0.7, 0.5), at(0.3, 0.5)), -1);
        assert_eq!(up.crossings(at(0.3, 0.5), at(0.4, 0.5)), 0);
        assert_eq!(up.crossings(at(0.3, 0.05), at(0.7, 0.05)), 0, "past its end");
        assert!((up.offset(at(0.5, 0.05)).abs() - 0.05).abs() < 1e-6);
    }

    #[test]
    fn a_corner_is_crossed_once() {
        let bent = line(&[[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]]).unwrap();
        assert_eq!(bent.crossings(at(0.5, 0.4), at(0.5, 0.6)), 1);
        let corner = line(&[[0.1, 0.5], [0.5, 0.5], [0.5, 0.9]]).unwrap();
        assert!(corner.offset(at(0.6, 0.3)) < 0.0, "outside the corner");
        assert!(corner.offset(at(0.4, 0.6)) > 0.0, "inside the corner");
        assert_eq!(corner.crossings(at(0.6, 0.4), at(0.4, 0.6)), 1);
    }
}
