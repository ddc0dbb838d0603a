//! What a user of Terraform sees: real Terraform, the built provider, and a sandbox for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod address_plan;
mod announced_deletions;
mod announced_replacements;
mod drift_repair;
mod examples;
mod fault_sweep;
mod getting_started;
mod import;
mod import_guide;
mod import_manual_setup;
mod import_manual_variants;
mod invalid_input;
mod key_storage;
mod logs;
mod modules;
mod official_clients;
mod official_models;
mod ownership;
mod placement;
mod plan_semantics;
mod plugin_process;
mod policy_as_code;
mod preshared_keys;
mod quickstart;
mod refused_before_destroy;
mod remote_run;
mod replacements;
mod resume_failed_create;
mod shared_gateway;
mod sovereign_clouds;
mod state_upgrade;
mod transit_gateway;
mod updates;
