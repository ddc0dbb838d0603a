//! Random configurations of `awsazure_bgp_vpn`, and what Terraform's core checks around a provider.
//!
//! | module | holds |
//! |---|---|
//! | `dice` | chance, from a seed |
//! | `site` | two clouds with networks and gateways already there, and which of them a link is to use |
//! | `choices` | plausible and wrong values for every attribute |
//! | `configuration` | a walk over the schema that makes configurations, and makes parts of them unknown |
//! | `hcl` | many configurations as one resource block with `for_each` |
//! | `rules` | Terraform's rules: proposed state, valid plans, consistent applies |
//! | `process` | the real provider process, started and authenticated as Terraform does |
//! | `life` | plan, apply, change and destroy of one link under those rules |

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod choices;
pub mod configuration;
pub mod dice;
pub mod hcl;
pub mod life;
pub mod process;
pub mod rules;
pub mod site;

/// The seed given in the environment, to replay that one alone.
pub fn replayed() -> Option<u64> {
    std::env::var("AWSAZURE_SEED").ok().map(|text| text.parse().expect("AWSAZURE_SEED is a number"))
}
