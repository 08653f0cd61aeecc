//! What a line hears of a sensor, and what every line to sensors does.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use gatepost_wire::event::{Measurement, SensorFaultKind};

/// Something was heard of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sign {
    /// Which, by its place among the sensors of the line.
    pub sensor: usize,
    /// When, since the daemon's start.
    pub at: Duration,
    /// What.
    pub said: Said,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// What it says.
    Reading(Reading),
    /// What it said once, and somebody kept: no sign of life.
    Kept(Reading),
    /// It did not answer, or made no sense; why.
    Failed(String),
    /// The way to it is open again; whether it lives, only itself can say.
    Linked,
    /// Whoever watches over it says that it is out of reach; why.
    Gone(String),
    /// Whoever watches over it says that it is within reach.
    Back,
}

/// What a sensor says at one moment; of what is not mentioned nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    /// Is it tripped?
    pub tripped: Option<bool>,
    /// What it measures.
    pub measured: Option<Measurement>,
    /// Ways in which it is ill, with why, or well.
    pub faults: Vec<(SensorFaultKind, Option<String>)>,
}

/// A way to some sensors: a bus, a broker, a box's own pins.
pub(super) trait Line: Send + 'static {
    /// Why nothing is heard on it.
    type Fault: Error + Send;

    /// Connects where it is not connected, and waits for signs of its sensors. After a fault it is asked again, later.
    fn listen(&mut self) -> impl Future<Output = Result<Vec<Sign>, Self::Fault>> + Send;
}
