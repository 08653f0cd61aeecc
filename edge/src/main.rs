//! Edge.
fn main() {}
