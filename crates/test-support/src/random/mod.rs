//! Random configurations of `awsazure_bgp_vpn`, and what Terraform's core checks around a provider.
//!
//! | module | holds |
//! |---|---|
//! | `rng` | chance, from a seed |
//! | `environment` | two clouds with networks and gateways already there, and which of them a link is to use |
//! | `values` | plausible and wrong values for every attribute |
//! | `configuration` | a walk over the schema that makes configurations, and makes parts of them unknown |
//! | `hcl` | many configurations as one resource block with `for_each` |
//! | `rules` | Terraform's rules: proposed state, valid plans, consistent applies |
//! | `provider_process` | the real provider process, started and authenticated as Terraform does |
//! | `lifecycle` | plan, apply, change and destroy of one link under those rules |

pub mod configuration;
pub mod environment;
pub mod hcl;
pub mod lifecycle;
pub mod provider_process;
pub mod rng;
pub mod rules;
pub mod values;

/// The seed given in the environment, to replay that one alone.
pub fn replayed() -> Option<u64> {
    std::env::var("AWSAZURE_SEED")
        .ok()
        .map(|text| text.parse().expect("AWSAZURE_SEED is a number"))
}
