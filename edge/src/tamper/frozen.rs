//! The very same picture again and again. A sensor always adds noise, so even a scene in which nothing happens
//! does not give the same picture twice for long.

use std::time::Duration;

use crate::motion::Thumbnail;

/// Share of the pixels that may differ: a clock that the camera or the recorder draws goes on.
const CLOCK: f32 = 0.001;
/// So few pictures in whatever time say nothing.
const LEAST: u32 = 8;

/// How long the picture has been the same.
#[derive(Debug, Default)]
pub(super) struct Sameness {
    first: Option<(Thumbnail, Duration)>,
    count: u32,
}

impl Sameness {
    /// How long this picture has been the same, this one included; nothing while pictures are too few.
    pub(super) fn see(&mut self, picture: &Thumbnail, at: Duration) -> Duration {
        match &self.first {
            Some((first, since)) if same(first, picture) => {
                self.count = self.count.saturating_add(1);
                if self.count >= LEAST { at.saturating_sub(*since) } else { Duration::ZERO }
            }
            _ => {
                self.first = Some((picture.clone(), at));
                self.count = 1;
                Duration::ZERO
            }
        }
    }

    /// Pictures were missing: whether it was the same meanwhile is not known.
    pub(super) fn interrupt(&mut self) {
        *self = Self::default();
    }
}

fn same(a: &Thumbnail, b: &Thumbnail) -> bool {
    if (a.width(), a.height()) != (b.width(), b.height()) {
        return false;
    }
    let most = (CLOCK * a.pixels().len() as f32) as usize;
    a.pixels().iter().zip(b.pixels()).filter(|(a, b)| a != b).count() <= most
}
