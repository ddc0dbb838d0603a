//! Limits of operations.

use bgp_vpn::config::Config;
use bgp_vpn::types::parse_duration;
use std::time::Duration;

/// A limit from `timeouts`.
pub fn timeout(settings: &Config, operation: &str, default_minutes: u64) -> Duration {
    let configured = settings.timeouts.get(operation);
    let limit = configured.and_then(|text| parse_duration(text.known()?));
    limit.unwrap_or(Duration::from_secs(default_minutes * 60))
}
