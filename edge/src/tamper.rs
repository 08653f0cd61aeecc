//! Tampering: a camera that is covered, blurred, moved or frozen, told from its own thumbnails. Pure: small
//! grey pictures and time in, changes out. How each kind is told, and what is not, stands in `docs/TAMPER.md`.

mod frozen;
mod hold;
mod structure;
mod view;
mod watcher;

pub use watcher::{Change, Watcher};

#[cfg(test)]
mod tests;
