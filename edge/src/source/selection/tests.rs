use super::*;

const MS: Duration = Duration::from_millis(1);

/// A camera that sends 25 pictures a second in groups of `group`, from its first picture on.
struct Camera {
    format: &'static str,
    group: u32,
    sent: u32,
}

impl Camera {
    fn new(group: u32) -> Self {
        Self { format: "video/x-h264", group, sent: 0 }
    }

    /// Which of the next `count` pictures are decoded, by their numbers.
    fn send(&mut self, selection: &mut Selection, count: u32, awake: bool) -> Vec<u32> {
        let mut decoded = Vec::new();
        for number in self.sent..self.sent + count {
            let unit = Encoded::of(self.format, number % self.group == 0, number * 40 * MS, 10);
            selection.take(unit, awake, |unit| decoded.push((unit.at.as_millis() / 40) as u32));
        }
        self.sent += count;
        decoded
    }
}

fn selection(idle: Idle) -> Selection {
    Selection::new(idle, 200 * MS)
}

#[test]
fn an_idle_camera_costs_its_key_frames_and_a_waking_one_misses_nothing() {
    let (mut camera, mut selection) = (Camera::new(50), selection(Idle::KeyFrames));
    assert_eq!(camera.send(&mut selection, 60, true), (0..60).collect::<Vec<_>>());
    // It falls asleep amidst a group.
    assert_eq!(camera.send(&mut selection, 120, false), [100, 150]);
    assert!(selection.is_partial());
    // Somebody comes: what was spared of this group comes first, in order and without a gap.
    assert_eq!(camera.send(&mut selection, 40, true), (151..220).collect::<Vec<_>>());
    assert!(!selection.is_partial());
    // Asleep and awake again within one group.
    assert!(camera.send(&mut selection, 10, false).is_empty());
    assert_eq!(camera.send(&mut selection, 5, true), (220..235).collect::<Vec<_>>());
}

#[test]
fn whether_key_frames_suffice_is_measured() {
    let (mut camera, mut rare) = (Camera::new(250), selection(Idle::KeyFrames));
    assert_eq!(camera.send(&mut rare, 1000, false).len(), 1000, "one in 10 s shows too little");

    let (mut camera, mut once) = (Camera::new(50), selection(Idle::KeyFrames));
    camera.send(&mut once, 151, false);
    camera.group = u32::MAX;
    let decoded = camera.send(&mut once, 500, false);
    assert_eq!(decoded, (151..651).collect::<Vec<_>>(), "they stopped coming: nothing more is spared");
}

#[test]
fn key_frames_that_come_very_often_are_thinned_too() {
    let (mut camera, mut selection) = (Camera::new(5), selection(Idle::KeyFrames));
    camera.send(&mut selection, 50, true);
    let idle = camera.send(&mut selection, 253, false);
    assert!((10..=11).contains(&idle.len()) && idle.iter().all(|number| number % 5 == 0), "{idle:?}");
    let last = idle[idle.len() - 1];
    assert_eq!(camera.send(&mut selection, 10, true), (last + 1..313).collect::<Vec<_>>(), "without a gap");
}

#[test]
fn everything_if_the_technician_says_so() {
    let (mut camera, mut selection) = (Camera::new(50), selection(Idle::Full));
    assert_eq!(camera.send(&mut selection, 300, false).len(), 300);
}

#[test]
fn a_decoder_begins_at_a_key_frame() {
    let (mut camera, mut selection) = (Camera::new(50), selection(Idle::KeyFrames));
    camera.sent = 20;
    assert_eq!(camera.send(&mut selection, 40, true), (50..60).collect::<Vec<_>>());
    selection.lose();
    assert_eq!(camera.send(&mut selection, 60, true), (100..120).collect::<Vec<_>>());
}

#[test]
fn what_is_held_has_bounds() {
    for (group, size) in [(MOST_HELD as u32 * 2, 10), (50, MOST_BYTES_HELD / 10)] {
        let mut selection = selection(Idle::KeyFrames);
        // A camera of a thousand pictures a second.
        for number in 0..3 * group {
            let unit = Encoded::of("video/x-h264", number % group == 0, number * MS, size);
            selection.take(unit, false, |unit| assert!(unit.key || number < group));
            assert!(selection.held.len() <= MOST_HELD && selection.held_bytes <= MOST_BYTES_HELD);
        }
    }
}

#[test]
fn pictures_that_stand_alone_are_thinned_before_they_are_decoded() {
    let (mut camera, mut selection) = (Camera::new(1), selection(Idle::KeyFrames));
    camera.format = "image/jpeg";
    let awake = camera.send(&mut selection, 100, true);
    assert!((20..=21).contains(&awake.len()), "{awake:?}");
    let idle = camera.send(&mut selection, 250, false);
    assert!((10..=11).contains(&idle.len()), "{idle:?}");
}
