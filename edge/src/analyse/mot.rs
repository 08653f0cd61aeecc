//! Tracks in MOTChallenge's format: `frame, id, left, top, width, height, score, -1, -1, -1`, pixels, frames from 1
//! (Leal-Taixé et al., MOTChallenge 2015).
//!
//! A file can say what a rule could not know in time: the first steps of a track are written once it is established,
//! and a stretch in which it was hidden once it is found again, along a straight line.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use gatepost_wire::event::{Region, TrackNumber};

use crate::track::Track;

/// Where something was in one frame.
#[derive(Debug, Clone, Copy)]
struct Place {
    frame: u64,
    region: Region,
    score: f32,
}

/// What is known of one track and not written yet.
#[derive(Default)]
struct Open {
    /// Until it is established.
    waiting: Vec<Place>,
    last: Option<Place>,
    /// Frames since then that did not show it.
    hidden: Vec<u64>,
}

/// A file of tracks, in the order of frames.
pub(super) struct MotFile<W: Write> {
    out: W,
    width: f32,
    height: f32,
    open: HashMap<TrackNumber, Open>,
    /// What cannot be written yet, because something may still be found to have been there before.
    lines: BTreeMap<(u64, TrackNumber), Place>,
    previous: Option<(u64, Duration)>,
}

impl MotFile<BufWriter<File>> {
    pub(super) fn create(file: &Path) -> anyhow::Result<Self> {
        let out = File::create(file).with_context(|| format!("{}: cannot be written", file.display()))?;
        Ok(Self::new(BufWriter::new(out)))
    }
}

impl<W: Write> MotFile<W> {
    fn new(out: W) -> Self {
        let (open, lines) = (HashMap::new(), BTreeMap::new());
        Self { out, width: 0.0, height: 0.0, open, lines, previous: None }
    }

    /// Takes the tracks of one analysed frame of so many pixels.
    pub(super) fn write(
        &mut self,
        frame: u64,
        at: Duration,
        (width, height): (u32, u32),
        tracks: &[Track],
    ) -> std::io::Result<()> {
        (self.width, self.height) = (width as f32, height as f32);
        for track in tracks {
            let previous = self.previous;
            let open = self.open.entry(track.number).or_insert_with(|| Open::born(track, previous));
            open.take(frame, track);
            if track.established {
                let known = open.waiting.drain(..);
                self.lines.extend(known.map(|place| ((place.frame, track.number), place)));
            }
        }
        self.open.retain(|number, _| tracks.iter().any(|track| track.number == *number));
        self.previous = Some((frame, at));
        // What is born in this frame is told with the next.
        let settled = self.open.values().filter_map(Open::since).min().unwrap_or(frame).min(frame);
        self.write_before(settled)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.write_before(u64::MAX)?;
        self.out.flush()
    }

    fn write_before(&mut self, frame: u64) -> std::io::Result<()> {
        let later = self.lines.split_off(&(frame, TrackNumber(0)));
        for ((frame, number), Place { region, score, .. }) in std::mem::replace(&mut self.lines, later) {
            let (left, top) = (region.left * self.width, region.top * self.height);
            let (width, height) = (region.right * self.width - left, region.bottom * self.height - top);
            let number = number.0;
            writeln!(
                self.out,
                "{frame},{number},{left:.2},{top:.2},{width:.2},{height:.2},{score:.4},-1,-1,-1"
            )?;
        }
        Ok(())
    }
}

impl Open {
    /// A track is told when it is seen for the second time; the first was in the frame before.
    fn born(track: &Track, previous: Option<(u64, Duration)>) -> Self {
        let birth = track.birth;
        let first = previous.filter(|(_, at)| *at == birth.at);
        let first = first.map(|(frame, _)| Place { frame, region: birth.region, score: birth.score });
        Self { waiting: first.into_iter().collect(), last: first, hidden: Vec::new() }
    }

    fn take(&mut self, frame: u64, track: &Track) {
        if !track.seen {
            self.hidden.push(frame);
            return;
        }
        let now = Place { frame, region: track.region, score: track.score };
        let hidden = std::mem::take(&mut self.hidden);
        if let Some(last) = self.last {
            self.waiting.extend(hidden.into_iter().map(|frame| between(&last, &now, frame)));
        }
        self.waiting.push(now);
        self.last = Some(now);
    }

    /// The first frame of which something may still be written.
    fn since(&self) -> Option<u64> {
        self.waiting.iter().map(|place| place.frame).chain(self.hidden.iter().copied()).min()
    }
}

/// Where it was while it was hidden: on the straight line, no surer than at either end.
fn between(from: &Place, to: &Place, frame: u64) -> Place {
    let share = (frame - from.frame) as f32 / (to.frame - from.frame) as f32;
    let mix = |edge: fn(&Region) -> f32| edge(&from.region) + share * (edge(&to.region) - edge(&from.region));
    let region = Region {
        left: mix(|r| r.left),
        top: mix(|r| r.top),
        right: mix(|r| r.right),
        bottom: mix(|r| r.bottom),
    };
    Place { frame, region, score: from.score.min(to.score) }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::ObjectClass;

    use super::*;
    use crate::track::Birth;

    const STEP: Duration = Duration::from_millis(100);

    fn region(left: f32) -> Region {
        Region { left, top: 0.5, right: left + 0.1, bottom: 0.75 }
    }

    fn track(number: u32, left: f32, seen: bool, established: bool, born: u32) -> Track {
        Track {
            number: TrackNumber(number),
            class: ObjectClass::Person,
            region: region(left),
            score: 0.5,
            seen,
            established,
            birth: Birth { at: STEP * born, region: region(0.0), score: 0.4 },
        }
    }

    /// Writes frames 1, 2, … and gives frame, id and left edge of each line.
    fn written(frames: &[&[Track]]) -> Vec<(u64, u32, f32)> {
        let mut out = Vec::new();
        let mut file = MotFile::new(&mut out);
        for (frame, tracks) in (1u32..).zip(frames) {
            file.write(frame.into(), STEP * frame, (100, 80), tracks).unwrap();
        }
        file.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!((fields.len(), &fields[7..]), (10, &["-1", "-1", "-1"][..]));
            (fields[0].parse().unwrap(), fields[1].parse().unwrap(), fields[2].parse().unwrap())
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn the_first_steps_are_written_once_a_track_is_established() {
        let frames: [&[Track]; 4] =
            [&[], &[track(7, 0.1, true, false, 1)], &[track(7, 0.2, true, true, 1)], &[]];
        assert_eq!(written(&frames), [(1, 7, 0.0), (2, 7, 10.0), (3, 7, 20.0)]);
        assert_eq!(written(&frames[..2]), [], "never established");
    }

    #[test]
    fn a_hidden_stretch_is_written_if_it_ends() {
        let frames: [&[Track]; 5] = [
            &[track(7, 0.1, true, true, 9)],
            &[track(7, 0.5, false, true, 9)],
            &[track(7, 0.6, false, true, 9)],
            &[track(7, 0.4, true, true, 9)],
            &[track(7, 0.5, false, true, 9)],
        ];
        assert_eq!(written(&frames), [(1, 7, 10.0), (2, 7, 20.0), (3, 7, 30.0), (4, 7, 40.0)]);
    }

    #[test]
    fn lines_stand_in_the_order_of_frames() {
        let late = |left, established| track(1, left, true, established, 9);
        let frames: [&[Track]; 3] = [
            &[late(0.1, false), track(2, 0.5, true, true, 9)],
            &[late(0.2, false), track(2, 0.5, true, true, 9)],
            &[late(0.3, true), track(2, 0.5, true, true, 9)],
        ];
        let order: Vec<_> = written(&frames).into_iter().map(|(frame, id, _)| (frame, id)).collect();
        assert_eq!(order, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]);
    }
}
