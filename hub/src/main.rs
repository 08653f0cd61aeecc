//! Hub.
fn main() {}
