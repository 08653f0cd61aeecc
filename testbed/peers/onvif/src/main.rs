//! An ONVIF camera on a port of this machine, with the login admin/admin, until it is killed.
//!
//!     gatepost-onvif-camera PORT [digest]
//!
//! With `digest` it wants the login by HTTP's digest besides WS-Security's.
//! `POST /mock/digital-input/DigitalInput_1/set?state=active` closes the contact at its first input.

mod digest;

use std::error::Error;
use std::future::pending;

use oxvif::mock::MockServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let port = args.next().ok_or("which port?")?.parse()?;
    let wants_digest = args.next().is_some_and(|arg| arg == "digest");
    let camera =
        MockServer::builder().port(if wants_digest { 0 } else { port }).enforce_auth(true).start().await?;
    if wants_digest {
        digest::serve(port, camera.port()).await?;
    } else {
        println!("serving");
    }
    pending().await
}
