//! Limits of operations.

use bgp_vpn::types::parse_duration;
use std::time::Duration;
use terraform_plugin::Value;

/// A limit from `timeouts`.
pub fn timeout(state: &Value, operation: &str, default_minutes: u64) -> Duration {
    let given = state
        .get("timeouts")
        .get(operation)
        .as_str()
        .and_then(parse_duration);
    given.unwrap_or(Duration::from_secs(default_minutes * 60))
}
