//! Azure: typed calls to the resource manager, long-running operations, error classes, and what is observed there.

pub mod id;
pub mod model;
