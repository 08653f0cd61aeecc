//! A network camera: a real RTSP server that plays a clip in a loop for ever, in real time.
//!
//! The clip is decoded and encoded once; each client then gets the same access units with time stamps of
//! its own, so a camera costs almost no CPU. At the loop point the time stamps go on.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as rtsp;
use rtsp::prelude::*;
use rtsp::{gio, glib};

mod cache;
mod clip;
mod damage;
mod encode;
mod feed;

pub use clip::Codec;
pub use damage::Damage;

use crate::{Error, Result, port};
use clip::{Clip, Recipe};
use feed::Scene;

const ROLE: &str = "viewer";
const DROP_SILENT_SESSIONS_EVERY: Duration = Duration::from_secs(2);

/// Where in the clip a new client starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// At the last key frame of what the camera sees now, like a real one.
    #[default]
    Live,
    /// At the beginning of the clip, so that every run of a test sees the same frames.
    Beginning,
}

/// Who may watch.
#[derive(Clone, Debug)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password; the server asks for it by digest.
    pub password: String,
}

/// How the camera is set up. The default is H.264 in the clip's own size on a free loopback port, open to
/// everyone.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What it sends.
    pub codec: Codec,
    /// Width to scale to. With only one of width and height given the other follows.
    pub width: Option<u32>,
    /// Height to scale to.
    pub height: Option<u32>,
    /// Uses only so many frames of the clip.
    pub max_frames: Option<u32>,
    /// Sends one key frame and no other until the clip begins again.
    pub one_key_frame: bool,
    /// Who may watch; everyone if none.
    pub login: Option<Login>,
    /// Where new clients start.
    pub join: Join,
    /// Where to listen; a free loopback port if none.
    pub listen: Option<SocketAddr>,
}

/// A camera that is being served. Dropping it stops it.
pub struct RtspCamera {
    addr: SocketAddr,
    login: Option<Login>,
    clip: PathBuf,
    recipe: Recipe,
    scene: Arc<Scene>,
    running: Option<Running>,
}

struct Running {
    server: rtsp::RTSPServer,
    listening: glib::Source,
    main_loop: glib::MainLoop,
    thread: JoinHandle<()>,
}

impl RtspCamera {
    /// The path of its address.
    pub const PATH: &str = "/clip";

    /// Prepares `clip` and serves it. Returns when clients can connect.
    pub fn serve(clip: &Path, options: &Options) -> Result<Self> {
        gst::init().map_err(|error| Error::camera("starting GStreamer", error))?;
        let Options { codec, width, height, max_frames, one_key_frame, .. } = *options;
        let recipe = Recipe { codec, width, height, max_frames, one_key_frame };
        let encoded = Clip::load(clip, &recipe)?;
        let addr = match options.listen {
            Some(addr) => addr,
            None => (Ipv4Addr::LOCALHOST, port::free()?).into(),
        };
        let scene = Arc::new(Scene::new(encoded, options.join));
        let login = options.login.clone();
        let mut camera = RtspCamera { addr, login, clip: clip.into(), recipe, scene, running: None };
        camera.start()?;
        Ok(camera)
    }

    /// Address without login, `rtsp://127.0.0.1:port/clip`. The same after stop and start.
    pub fn url(&self) -> String {
        format!("rtsp://{}{}", self.addr, Self::PATH)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Frames of the clip, which is one round.
    pub fn frames_per_round(&self) -> usize {
        self.scene.clip().units.len()
    }

    /// Frames sent so far, over all clients.
    pub fn frames_served(&self) -> u64 {
        self.scene.served()
    }

    /// Hangs like a bad camera: connections stay open, requests are answered, but no picture and no
    /// sender report goes out.
    pub fn pause(&self) {
        self.scene.set_paused(true);
    }

    /// Goes on where it hung; time stamps have gone on with the clock.
    pub fn resume(&self) {
        self.scene.set_paused(false);
    }

    /// Damages what is sent from now on, or no longer.
    pub fn damage(&self, damage: Option<Damage>) {
        self.scene.set_damage(damage);
    }

    /// Goes on in another size, from the beginning of the clip, as a camera whose settings are changed:
    /// whoever watches gets a key frame of that size next.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<()> {
        let recipe = Recipe { width: Some(width), height: Some(height), ..self.recipe.clone() };
        self.scene.set_clip(Clip::load(&self.clip, &recipe)?);
        self.recipe = recipe;
        Ok(())
    }

    /// Ends like an unplugged camera: clients are dropped, new ones are refused. Nothing if it is stopped.
    pub fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.listening.destroy();
        running.server.client_filter(Some(&mut |_, _| rtsp::RTSPFilterResult::Remove));
        running.main_loop.quit();
        // Its panic, if any, was printed already, and there is nothing left to stop.
        let _ = running.thread.join();
    }

    /// Serves again at the same address after [`RtspCamera::stop`]. Nothing if it is served.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let server = rtsp::RTSPServer::new();
        server.set_address(&self.addr.ip().to_string());
        server.set_service(&self.addr.port().to_string());
        let mounts = server.mount_points().ok_or_else(|| Error::camera("serving", "no mount points"))?;
        mounts.add_factory(Self::PATH, self.factory());
        if let Some(login) = &self.login {
            server.set_auth(Some(&digest(login)));
        }
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let listening = server
            .create_source(gio::Cancellable::NONE)
            .map_err(|error| Error::camera(format!("listening on {}", self.addr), error))?;
        listening.attach(Some(&context));
        let pool = server.session_pool();
        let drop_silent = glib::timeout_source_new(
            DROP_SILENT_SESSIONS_EVERY,
            Some("drop sessions without keep-alive"),
            glib::Priority::DEFAULT,
            move || {
                pool.as_ref().map(RTSPSessionPoolExt::cleanup);
                glib::ControlFlow::Continue
            },
        );
        drop_silent.attach(Some(&context));
        let looping = main_loop.clone();
        let serving = move || {
            // Fails only if another thread owns the context, and none has it.
            let _ = context.with_thread_default(|| looping.run());
        };
        let thread = thread::Builder::new().name("rtsp-camera".into()).spawn(serving);
        let thread = thread.map_err(Error::io("starting the camera's thread"))?;
        self.running = Some(Running { server, listening, main_loop, thread });
        Ok(())
    }

    fn factory(&self) -> rtsp::RTSPMediaFactory {
        let factory = rtsp::RTSPMediaFactory::new();
        factory.set_launch(&format!(
            "( appsrc name=units format=time block=true ! {} name=pay0 pt=96 )",
            self.recipe.codec.payloader()
        ));
        if self.login.is_some() {
            let role = gst::Structure::builder(ROLE)
                .field("media.factory.access", true)
                .field("media.factory.construct", true);
            factory.add_role_from_structure(&role.build());
        }
        let scene = self.scene.clone();
        factory.connect_media_configure(move |_, media| configure(&scene, media));
        factory
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sets up the media of one client.
fn configure(scene: &Arc<Scene>, media: &rtsp::RTSPMedia) {
    let bin = media.element().downcast::<gst::Bin>().ok();
    let source = bin.and_then(|bin| bin.by_name("units"));
    // The launch line above has this appsrc; without it the client gets an error, which a test sees.
    let Some(source) = source.and_then(|source| source.downcast::<gst_app::AppSrc>().ok()) else { return };
    source.set_caps(Some(&scene.clip().caps));
    let gone = Arc::new(AtomicBool::new(false));
    feed::attach(scene, &source, &gone);
    media.connect_unprepared(move |_| gone.store(true, Ordering::Relaxed));
    let scene = scene.clone();
    media.connect_prepared(move |media| silence_reports_while_paused(&scene, media));
}

/// Without this, RTCP sender reports would still go out of a camera that hangs.
fn silence_reports_while_paused(scene: &Arc<Scene>, media: &rtsp::RTSPMedia) {
    let pipeline = media.element().parent().and_then(|parent| parent.downcast::<gst::Bin>().ok());
    let elements = pipeline.map(|pipeline| pipeline.children()).unwrap_or_default();
    let pads = elements.iter().flat_map(|element| element.src_pads());
    for pad in pads.filter(|pad| pad.name().starts_with("send_rtcp_src")) {
        let scene = scene.clone();
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, _| match scene.is_paused() {
            true => gst::PadProbeReturn::Drop,
            false => gst::PadProbeReturn::Ok,
        });
    }
}

fn digest(login: &Login) -> rtsp::RTSPAuth {
    let auth = rtsp::RTSPAuth::new();
    let token = rtsp::RTSPToken::builder().field("media.factory.role", ROLE).build();
    auth.set_supported_methods(rtsp::gst_rtsp::RTSPAuthMethod::Digest);
    auth.add_digest(&login.user, &login.password, &token);
    auth
}
