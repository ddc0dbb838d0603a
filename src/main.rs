//! Terraform provider `awsazure/awsazure`: one resource for a BGP VPN between Azure and AWS.
//!
//! The house, arrows running downwards only:
//!
//! | floor | room | knows | never knows |
//! |---|---|---|---|
//! | 5 | `main` | process start | anything else |
//! | 4 | `plugin` | Terraform's plugin protocol: handshake, mutual TLS, values, schema, diagnostics | clouds, VPNs |
//! | 3 | `provider` | what the user types: provider block, resource, data source, function | HTTP, retries |
//! | 2 | `link` | the domain, no I/O: spec, addresses, IPsec policy, keys, what is there, which steps lead on | Terraform, SDKs |
//! | 2 | `reconcile` | running those steps: order, width, locks, retry, deadline, cancellation | HCL |
//! | 1 | `aws`, `azure` | one cloud each: typed calls, waits, error classes | the other cloud, Terraform |
//! | 0 | `types` | ASN, shared key, tags | all of the above |
//!
//! Create, update, repair, adoption and destroy are one algorithm: observe both clouds, decide (pure), act, observe
//! again. `docs/decisions/` says why things are as they are.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    awsazure::plugin::serve(Arc::new(awsazure::provider::assemble()), env!("CARGO_PKG_VERSION"))
}
