//! Where a box will be: a Kalman filter with constant velocity for each of centre x, centre y, width and
//! height. The four do not influence each other, so four filters of two states say the same as one of eight.

use std::time::Duration;

use gatepost_wire::event::Region;

/// Uncertainty in units of the box's own height, since near things move more pixels than far ones.
const MEASURED: f32 = 0.08;
const START_SPEED: f32 = 1.0;
/// Change of speed, box heights per second, in one second: of the place, and of the size, which changes far
/// less than a detector's box suggests.
const ACCELERATION: f32 = 1.0;
const GROWTH_ACCELERATION: f32 = 0.1;

#[derive(Debug, Clone, Copy)]
struct Axis {
    position: f32,
    velocity: f32,
    /// Covariance: position, position with velocity, velocity.
    pp: f32,
    pv: f32,
    vv: f32,
}

impl Axis {
    fn new(position: f32, scale: f32) -> Self {
        let (measured, speed) = (MEASURED * scale, START_SPEED * scale);
        Self { position, velocity: 0.0, pp: measured * measured, pv: 0.0, vv: speed * speed }
    }

    fn predict(&mut self, seconds: f32, acceleration: f32) {
        self.position += self.velocity * seconds;
        self.pp += seconds * (2.0 * self.pv + seconds * self.vv);
        self.pv += seconds * self.vv;
        // Discrete white-noise acceleration.
        let q = acceleration.powi(2);
        self.pp += q * seconds.powi(3) / 3.0;
        self.pv += q * seconds.powi(2) / 2.0;
        self.vv += q * seconds;
    }

    fn correct(&mut self, measured: f32, scale: f32) {
        let noise = (MEASURED * scale).powi(2);
        let (gain_p, gain_v) = (self.pp / (self.pp + noise), self.pv / (self.pp + noise));
        let off = measured - self.position;
        self.position += gain_p * off;
        self.velocity += gain_v * off;
        self.vv -= gain_v * self.pv;
        self.pv -= gain_v * self.pp;
        self.pp -= gain_p * self.pp;
    }
}

/// Where one box is and where it goes.
#[derive(Debug, Clone)]
pub(super) struct BoxFilter {
    /// Centre x, centre y, width, height.
    axes: [Axis; 4],
}

fn measure(region: &Region) -> [f32; 4] {
    [
        (region.left + region.right) / 2.0,
        (region.top + region.bottom) / 2.0,
        region.right - region.left,
        region.bottom - region.top,
    ]
}

impl BoxFilter {
    pub(super) fn new(region: &Region) -> Self {
        let values = measure(region);
        Self { axes: values.map(|value| Axis::new(value, values[3])) }
    }

    pub(super) fn predict(&mut self, step: Duration) {
        let scale = self.height();
        let [place, growth] = [ACCELERATION, GROWTH_ACCELERATION].map(|unit| unit * scale);
        for (axis, acceleration) in self.axes.iter_mut().zip([place, place, growth, growth]) {
            axis.predict(step.as_secs_f32(), acceleration);
        }
    }

    /// Takes a measured box; `doubt` says how many times less exact than usual it is.
    pub(super) fn correct(&mut self, region: &Region, doubt: f32) {
        let scale = self.height() * doubt;
        for (axis, value) in self.axes.iter_mut().zip(measure(region)) {
            axis.correct(value, scale);
        }
    }

    pub(super) fn region(&self) -> Region {
        let [x, y, width, height] = self.axes.map(|axis| axis.position);
        let (width, height) = (width.max(0.0), height.max(0.0));
        Region {
            left: (x - width / 2.0).clamp(0.0, 1.0),
            top: (y - height / 2.0).clamp(0.0, 1.0),
            right: (x + width / 2.0).clamp(0.0, 1.0),
            bottom: (y + height / 2.0).clamp(0.0, 1.0),
        }
    }

    fn height(&self) -> f32 {
        self.axes[3].position.max(1e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_a_walk_and_goes_on_alone() {
        let at = |x: f32| Region { left: x, top: 0.4, right: x + 0.05, bottom: 0.6 };
        let step = Duration::from_millis(200);
        let mut filter = BoxFilter::new(&at(0.1));
        for i in 1..10 {
            filter.predict(step);
            filter.correct(&at(0.1 + 0.01 * i as f32), 1.0);
        }
        filter.predict(step);
        filter.predict(step);
        let expected = 0.1 + 0.01 * 11.0;
        assert!((filter.region().left - expected).abs() < 0.003, "{:?}", filter.region());
    }

    #[test]
    fn a_doubtful_box_moves_it_less() {
        let at = |x: f32| Region { left: x, top: 0.4, right: x + 0.05, bottom: 0.6 };
        let moved_by = |doubt: f32| {
            let mut filter = BoxFilter::new(&at(0.1));
            for _ in 0..5 {
                filter.predict(Duration::from_millis(200));
                filter.correct(&at(0.1), 1.0);
            }
            filter.predict(Duration::from_millis(200));
            filter.correct(&at(0.15), doubt);
            filter.region().left - 0.1
        };
        assert!(moved_by(4.0) < 0.5 * moved_by(1.0), "{} {}", moved_by(4.0), moved_by(1.0));
    }
}
