//! Who answers at a camera's address may be broken, or no camera: it must not end the daemon or eat the machine.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_testbed::rogue_camera::{Conversation, RogueCamera, SDP};
use gatepost_testbed::rtsp_relay::{Packet, RtspRelay};
use gatepost_testbed::usage;

use super::*;

/// Payloads shorter than their own headers, for each codec.
const SCRAPS: [&[u8]; 14] = [
    &[],
    &[0x7c],
    &[0x7c, 0x85],
    &[0x7c, 0x45],
    &[0x7d, 0x85, 0],
    &[0x78],
    &[0x78, 0, 9],
    &[0x62],
    &[0x62, 1],
    &[0x62, 1, 0x93],
    &[0x60, 1, 0],
    &[0],
    &[0, 0, 0, 0],
    &[0, 0, 0, 0, 0x41, 0xff, 1],
];

/// Puts a scrap behind every `every`th picture's last packet. The numbers begin at 0, whatever the camera announced, and go on
/// without a gap.
fn scraps_behind(every: usize) -> impl FnMut(Packet) -> Vec<Packet> {
    let (mut sequence, mut pictures, mut scraps) = (0u16, 0, SCRAPS.iter().cycle());
    move |packet| {
        if !packet.is_rtp() {
            return vec![packet];
        }
        let ends_picture = packet.data[1] & 0x80 != 0;
        pictures += usize::from(ends_picture);
        let scrap = (ends_picture && pictures.is_multiple_of(every)).then(|| {
            let data = packet.data[..12].iter().chain(scraps.next().copied().unwrap_or_default());
            Packet { channel: packet.channel, data: data.copied().collect() }
        });
        let mut sent: Vec<Packet> = iter::once(packet).chain(scrap).collect();
        for packet in &mut sent {
            packet.data[2..4].copy_from_slice(&sequence.to_be_bytes());
            sequence = sequence.wrapping_add(1);
        }
        sent
    }
}

#[test]
fn packets_without_content_do_not_end_the_daemon() {
    let _turn = beside();
    let codecs = [("h264", Codec::H264), ("h265", Codec::H265), ("mjpeg", Codec::Mjpeg)];
    let cameras =
        codecs.map(|(_, codec)| camera(Options { codec, max_frames: Some(60), ..Options::default() }));
    let lines = [0, 1, 2].map(|i| RtspRelay::to(&cameras[i]).unwrap());
    lines.iter().for_each(|line| line.alter(scraps_behind(5)));
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    site.cameras =
        iter::zip(codecs, &lines).map(|((id, _), line)| CameraConfig::new(id, &line.url())).collect();
    let mut edge = site.run();
    for (id, _) in codecs {
        wait_for_frames(&listener, id, 20);
    }
    lines.iter().for_each(|line| line.alter(scraps_behind(1)));
    // As many as there are kinds of scraps, at ten pictures a second.
    let before = cameras[0].frames_served();
    listener.wait("all scraps", |_| (cameras[0].frames_served() > before + 100).then_some(()));
    edge.assert_alive();
    // Of H.264 nothing need be left: some scraps look like units of it, and spoil every picture.
    for id in ["h265", "mjpeg"] {
        wait_for_frames(&listener, id, 1);
    }
    lines.iter().for_each(|line| line.alter(scraps_behind(5)));
    for (id, _) in codecs {
        wait_for_frames(&listener, id, 20);
    }
    edge.assert_alive();
    edge.terminate();
}

/// So much is sent in a tick of this length: 20 MB a second, as over a fast network, which still leaves this
/// machine able to test.
const TICK: Duration = Duration::from_millis(5);
const TICK_BYTES: usize = 100_000;

/// A session description that never ends.
fn endless_description(talk: &mut Conversation) -> io::Result<()> {
    let request = talk.until(&["DESCRIBE"], SDP)?;
    let headers = "Content-Type: application/sdp\r\nContent-Length: 2000000000\r\n";
    talk.answer(&request, "200 OK", headers, "")?;
    let lines = "a=x:y\r\n".repeat(TICK_BYTES / 7);
    loop {
        talk.send(lines.as_bytes())?;
        thread::sleep(TICK);
    }
}

/// One more track than anybody can count, and then nothing.
fn thousands_of_tracks(talk: &mut Conversation) -> io::Result<()> {
    let (session, track) = SDP.split_at(SDP.find("m=").unwrap());
    let sdp: String = iter::once(session.to_owned())
        .chain((0..5000).map(|number| track.replace("track0", &format!("track{number}"))))
        .collect();
    talk.until(&["NOTHING"], &sdp).map(drop)
}

fn silent_after_play(talk: &mut Conversation) -> io::Result<()> {
    talk.until(&["NOTHING"], SDP).map(drop)
}

/// A byte now and then, so that no single read takes too long.
fn slow_drip(talk: &mut Conversation) -> io::Result<()> {
    talk.request()?;
    for byte in b"RTSP/1.0 200 OK\r\n".iter().chain(iter::repeat(&b'x')) {
        talk.send(&[*byte])?;
        thread::sleep(Duration::from_millis(300));
    }
    Ok(())
}

/// The first fragment of a picture and no last one.
fn endless_picture(talk: &mut Conversation) -> io::Result<()> {
    let play = talk.until(&["PLAY"], SDP)?;
    talk.answer_well(&play, SDP)?;
    let mut payload = vec![0x7c, 0x85];
    payload.resize(1400, 0x55);
    for sequence in 0u64.. {
        talk.send_rtp(sequence as u16, 1, 2, &payload)?;
        payload[1] = 0x05;
        if sequence.is_multiple_of((TICK_BYTES / payload.len()) as u64) {
            thread::sleep(TICK);
        }
    }
    Ok(())
}

/// Every packet claims to be of another camera.
fn crowd_of_sources(talk: &mut Conversation) -> io::Result<()> {
    let play = talk.until(&["PLAY"], SDP)?;
    talk.answer_well(&play, SDP)?;
    for packet in 0u32.. {
        // Three in a row, until they are believed.
        talk.send_rtp(packet as u16, packet * 100, 1000 + packet / 3, &[0x41, 1, 2, 3])?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Writes a sequence parameter set's fields (ITU-T H.264, 7.3.2.1.1 and 9.1).
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn bits(mut self, value: u32, count: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn golomb(self, value: u32) -> Self {
        let length = u32::BITS - (value + 1).leading_zeros();
        self.bits(0, length - 1).bits(value + 1, length)
    }

    /// Type I, set 0, frame number, picture id, nothing marked: the head of a slice (7.3.3).
    fn slice_head(self) -> Self {
        self.golomb(7).golomb(0).bits(0, 4).golomb(0).bits(0, 2).golomb(0).golomb(0)
    }

    fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| (0..8).fold(0, |sum, i| sum << 1 | u8::from(bits.get(i) == Some(&true)));
        self.bits(1, 1).0.chunks(8).map(byte).collect()
    }
}

/// 16384 x 16384, whose decoded picture has 400 MB.
fn giant_pictures(talk: &mut Conversation) -> io::Result<()> {
    let play = talk.until(&["PLAY"], SDP)?;
    talk.answer_well(&play, SDP)?;
    let sps = Bits::default().bits(0x67, 8).bits(66, 8).bits(0, 8).bits(52, 8);
    // Set 0, numbers of frames in 4 bits, order as sent, one reference, no gaps; sides in macroblocks; frames only,
    // 8x8 inference, no cropping, nothing more.
    let sps =
        sps.golomb(0).golomb(0).golomb(2).golomb(1).bits(0, 1).golomb(1023).golomb(1023).bits(0b1100, 4);
    let pps = Bits::default().bits(0x68, 8).golomb(0).golomb(0).bits(0, 2).golomb(0).golomb(0).golomb(0);
    let pps = pps.bits(0, 3).golomb(0).golomb(0).golomb(0).bits(0, 3);
    let idr = Bits::default().bits(0x65, 8).golomb(0).slice_head();
    let units = [sps.bytes(), pps.bytes(), idr.bytes()];
    let mut sequence = 0u16;
    for time in 0u32.. {
        for unit in &units {
            talk.send_rtp(sequence, time * 9000, 7, unit)?;
            sequence = sequence.wrapping_add(1);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[test]
fn who_is_no_camera_is_left_alone() {
    let _turn = beside();
    type Behaviour = fn(&mut Conversation) -> io::Result<()>;
    let behaviours: [(&str, Behaviour, &str); 7] = [
        ("describes", endless_description, "no picture"),
        ("tracks", thousands_of_tracks, "no picture"),
        ("silent", silent_after_play, "no picture"),
        ("drips", slow_drip, "no picture"),
        ("endless", endless_picture, "a picture of more than 16 MiB"),
        ("crowd", crowd_of_sources, ""),
        ("giant", giant_pictures, "16384x16384"),
    ];
    let rogues = behaviours.map(|(_, behave, _)| RogueCamera::serve(behave).unwrap());
    let good = pedestrians();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port()).camera(CameraConfig::new("good", &good.url()));
    for ((id, ..), rogue) in iter::zip(behaviours, &rogues) {
        site.cameras.push(CameraConfig::new(id, &rogue.url()).extra("signal_lost_after_s = 3"));
    }
    let mut edge = site.run();
    for (id, _, reason) in behaviours {
        let said = listener.wait(&format!("what health says of {id}"), |heard| {
            let CameraState::Faulted { reason } = heard.camera(id)?.state else { return None };
            Some(reason)
        });
        assert!(said.contains(reason), "{id}: {said}");
    }
    // Each is tried again some times meanwhile.
    wait_for_frames(&listener, "good", 60);
    edge.assert_alive();
    for process in edge.family() {
        let (bytes, threads) = (usage::peak_rss_bytes(process).unwrap(), usage::threads(process).unwrap());
        assert!(bytes < 1 << 30 && threads < 100, "process {process}: {bytes} bytes, {threads} threads");
    }
    assert!(complaints(&edge, &good.url()).is_empty());
    edge.terminate();
}

#[test]
fn whoever_sends_the_edge_elsewhere_does_not_send_it_for_ever() {
    let _turn = beside();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let circle = RogueCamera::serve(move |talk| {
        let request = talk.until(&["DESCRIBE"], SDP)?;
        count.fetch_add(1, Ordering::Relaxed);
        let location = format!("Location: {}\r\n", request.url);
        talk.answer(&request, "302 Moved Temporarily", &location, "")?;
        talk.fall_silent()
    });
    let to_file = RogueCamera::serve(|talk| {
        let request = talk.until(&["DESCRIBE"], SDP)?;
        talk.answer(&request, "302 Moved Temporarily", "Location: file:///etc/passwd\r\n", "")?;
        talk.fall_silent()
    });
    let (circle, to_file, good) = (circle.unwrap(), to_file.unwrap(), pedestrians());
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let lost = "signal_lost_after_s = 3";
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("circle", &circle.url()).extra(lost))
        .camera(CameraConfig::new("file", &to_file.url()).extra(lost))
        .camera(CameraConfig::new("good", &good.url()));
    let mut edge = site.run();
    for id in ["circle", "file"] {
        listener.wait(&format!("what health says of {id}"), |heard| {
            matches!(heard.camera(id)?.state, CameraState::Faulted { .. }).then_some(())
        });
    }
    wait_for_frames(&listener, "good", 20);
    // Fifty requests and no more, half of them for what it can do; then it is tried again, later and later: the tenth
    // time after minutes.
    let tries = listener.heard().camera("circle").map(|camera| camera.state);
    assert!(format!("{tries:?}").contains("round in circles"), "{tries:?}");
    assert!(asked.load(Ordering::Relaxed) < 10 * 50, "{asked:?}");
    edge.assert_alive();
    edge.terminate();
}
