//! Where the test clip is: `vtest.avi` of Debian's opencv-doc (PETS 2009 S2.L1, 795 frames, 768x576,
//! 10 frames a second).

use std::env;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Root of the workspace this crate was built in.
pub fn workspace_root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The pedestrian clip: `GATEPOST_FOOTAGE` if set, else what `setup/install.sh footage` fetched.
pub fn vtest() -> Result<PathBuf> {
    let path = match env::var_os("GATEPOST_FOOTAGE") {
        Some(named) => PathBuf::from(named),
        None => workspace_root().join(".fetched/footage/vtest.avi"),
    };
    if path.is_file() { Ok(path) } else { Err(Error::NoFootage(path)) }
}
