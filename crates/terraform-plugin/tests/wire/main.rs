//! The plugin layer from outside: a provider made up for the purpose, driven over its socket by a
//! client of our own that authenticates as Terraform does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod calls;
mod client;
mod codec;
mod failures;
mod fake_provider;
mod lifecycle;
