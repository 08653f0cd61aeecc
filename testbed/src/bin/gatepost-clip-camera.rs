//! Serves a clip as an RTSP camera until Ctrl-C. The demo's camera.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gatepost_testbed::rtsp_camera::{Codec, Login, Options, RtspCamera};
use gatepost_testbed::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Plays a clip in a loop for ever, as a network camera would send it
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Video file
    #[arg(long)]
    clip: PathBuf,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8554")]
    listen: SocketAddr,
    /// What to send
    #[arg(long, value_enum, default_value_t = CodecArg::H264)]
    codec: CodecArg,
    /// User who may watch; everyone if not given
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// File whose first line is the user's password
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum CodecArg {
    H264,
    H265,
    Mjpeg,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let mut camera = RtspCamera::serve(&args.clip, &options(&args)?)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|source| Error::Io { what: "waiting for signals".into(), source })?;
    println!("serving {}", camera.url());
    signals.forever().next();
    camera.stop();
    Ok(())
}

fn options(args: &Args) -> Result<Options> {
    let login = match (&args.user, &args.password_file) {
        (Some(user), Some(file)) => {
            let text = fs::read_to_string(file)
                .map_err(|source| Error::Io { what: file.display().to_string(), source })?;
            let password = text.lines().next().unwrap_or_default().to_owned();
            Some(Login { user: user.clone(), password })
        }
        _ => None,
    };
    let codec = match args.codec {
        CodecArg::H264 => Codec::H264,
        CodecArg::H265 => Codec::H265,
        CodecArg::Mjpeg => Codec::Mjpeg,
    };
    Ok(Options { codec, login, listen: Some(args.listen), ..Options::default() })
}
