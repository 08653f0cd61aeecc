//! The running daemon and what its log says.

use std::path::Path;
use std::time::Duration;

use gatepost_testbed::daemon::{Daemon, Launch};
use gatepost_testbed::usage;
use gatepost_wire::EventId;
use serde_json::Value;

use super::SOON;
use super::site::PROGRAM;

/// A running daemon; killed when dropped.
pub struct Edge {
    daemon: Daemon,
}

/// A line of the log in JSON.
pub struct Line(Value);

impl Line {
    pub fn message(&self) -> &str {
        self.0["fields"]["message"].as_str().unwrap_or_default()
    }

    pub fn field(&self, name: &str) -> Option<String> {
        let value = self.0["fields"].get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    pub fn level(&self) -> &str {
        self.0["level"].as_str().unwrap_or_default()
    }
}

/// An event the daemon says it has written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub boot: String,
    pub seq: u64,
    pub event: EventId,
}

impl Edge {
    /// Starts it and waits for the line `started`.
    pub fn start(config: &Path) -> Self {
        let edge = Self::launch(config);
        edge.wait_for("started");
        edge
    }

    /// Starts it without waiting.
    pub fn launch(config: &Path) -> Self {
        let launch = Launch::new(PROGRAM).args(["run", "--config"]).arg(config);
        Self { daemon: launch.spawn().unwrap() }
    }

    /// Waits for a line whose message contains `text`.
    pub fn wait_for(&self, text: &str) -> Line {
        let line =
            self.daemon.wait_for_line(SOON, |line| parse(line).is_some_and(|l| l.message().contains(text)));
        parse(&line.unwrap()).unwrap()
    }

    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Lines whose message contains `text`.
    pub fn lines_with(&self, text: &str) -> Vec<Line> {
        self.lines().into_iter().filter(|line| line.message().contains(text)).collect()
    }

    /// What it says it has written down, so far.
    pub fn recorded(&self) -> Vec<Recorded> {
        let lines = self.lines();
        let boot = lines.iter().find(|l| l.message() == "started").and_then(|l| l.field("boot"));
        let recorded = |line: &Line| Recorded {
            boot: boot.clone().unwrap(),
            seq: line.field("seq").unwrap().parse().unwrap(),
            event: line.field("event").unwrap().parse().unwrap(),
        };
        lines.iter().filter(|line| line.message() == "recorded").map(recorded).collect()
    }

    /// It and its cameras' processes.
    pub fn family(&self) -> Vec<u32> {
        usage::family(self.daemon.pid()).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    pub fn has_ended(&mut self) -> bool {
        self.daemon.exited().unwrap().is_some()
    }

    pub fn assert_alive(&mut self) {
        assert!(!self.has_ended(), "the daemon has ended:\n{}", self.log());
    }

    /// SIGKILL; its log stays.
    pub fn kill(&mut self) {
        self.daemon.kill().unwrap();
    }

    /// SIGTERM; it must end well.
    pub fn terminate(&mut self) {
        let status = self.daemon.terminate(Duration::from_secs(30)).unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    fn lines(&self) -> Vec<Line> {
        self.log().lines().filter_map(parse).collect()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of the daemon:\n{}", self.log());
        }
    }
}

fn parse(line: &str) -> Option<Line> {
    serde_json::from_str(line).ok().map(Line)
}
