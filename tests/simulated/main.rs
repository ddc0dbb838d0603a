//! What the provider does to both clouds, with failures, kills and concurrent changes: the provider
//! in this process, simulated clouds, virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod account_checks;
mod concurrent_changes;
mod concurrent_creates;
mod connection_updates;
mod correction_regressions;
mod fault_sweep;
mod gateway_subnet;
mod idempotency;
mod interrupted_moves;
mod kept_networks;
mod lifecycle_control;
mod manual_edits;
mod many_links;
mod newer_properties;
mod object_loss;
mod permissions;
mod plan_warnings;
mod required_permissions;
mod restored_state;
mod rollback;
mod rolling_updates;
mod rotation_route_checks;
mod route_waits;
mod shared_gateway;
mod simulation;
mod sovereign_clouds;
mod teardown;
mod transit_routing;
mod varied_answers;
mod wait_log;
