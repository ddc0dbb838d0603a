//! AWS: typed calls of one region, its waits and error classes, and what is observed there.

pub mod model;
