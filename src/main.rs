//! Terraform provider `awsazure/awsazure`: one resource for a BGP VPN between Azure and AWS.
//!
//! Module layout. Dependencies point downwards only.
//!
//! | layer | module | responsibility | must not depend on |
//! |---|---|---|---|
//! | 5 | `main` | process start | all but `plugin` and `provider` |
//! | 4 | `plugin` | Terraform's plugin protocol: handshake, mutual TLS, values, schema, diagnostics | clouds, VPNs |
//! | 3 | `provider` | what the user configures: provider block, resource, data source, function | HTTP, retries |
//! | 2 | `link` | the domain, without I/O: spec, addresses, IPsec policy, keys, observed state, planned actions | Terraform, SDKs |
//! | 2 | `reconcile` | running the actions: order, concurrency, locks, retries, deadline, cancellation | HCL |
//! | 1 | `aws`, `azure` | one cloud each: typed calls, waiters, error classes | the other cloud, Terraform |
//! | 0 | `types` | ASN, pre-shared key, tags, deadline | all of the above |
//!
//! Create, update, repair, adoption and destroy are one algorithm: observe both clouds, plan actions (pure), act, observe
//! again. `docs/architecture.md` shows the path of one apply; `docs/decisions/` records why.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    terraform_plugin::serve(Arc::new(awsazure::provider::assemble()), env!("CARGO_PKG_VERSION"), &["awsazure"])
}
