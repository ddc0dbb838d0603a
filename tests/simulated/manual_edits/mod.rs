//! Changes of a link that stays, made by a user in the two consoles or asked for in the
//! configuration: no more tunnels are down at any moment than the change itself takes, and nothing
//! is recreated that can be changed in place.

mod announced;
mod connections;
mod exchange;
pub mod fixture;
mod static_routing;
mod tags;
