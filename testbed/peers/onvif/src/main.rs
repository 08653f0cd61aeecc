//! An ONVIF camera on a port of this machine, with the login admin/admin, until it is killed.
//!
//!     gatepost-onvif-camera PORT
//!
//! `POST /mock/digital-input/DigitalInput_1/set?state=active` closes the contact at its first input.

use std::error::Error;
use std::future::pending;

use oxvif::mock::MockServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("which port?")?.parse()?;
    let _camera = MockServer::builder().port(port).enforce_auth(true).start().await?;
    println!("serving");
    pending().await
}
