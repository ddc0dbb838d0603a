//! Terraform provider `awsazure/awsazure`: one resource for a BGP VPN between Azure and AWS.
//!
//! Crates and modules. Dependencies point downwards only.
//!
//! | layer | crate or module | responsibility | must not depend on |
//! |---|---|---|---|
//! | 5 | `main` | process start | all but `terraform-plugin` and `provider` |
//! | 4 | `provider` | what the user configures: provider block, resource, data source, function | HTTP, retries |
//! | 3 | `reconcile` | running the actions: order, concurrency, locks, retries, deadline, cancellation | Terraform |
//! | 2 | `aws`, `azure` | one cloud each: typed calls, waiters, error classes | the other cloud, Terraform |
//! | 1 | `client` | what both clients share: time limits, cancellation, pauses between attempts, polling, errors, what of a response is accepted | the clouds |
//! | 0 | `crates/bgp-vpn` | the domain, without I/O: spec, addresses, IPsec policy, keys, observed state, planned actions | Terraform, SDKs |
//! | 0 | `crates/terraform-plugin` | Terraform's plugin protocol: handshake, mutual TLS, values, schema, diagnostics | clouds, VPNs |
//!
//! Create, update, repair, adoption and destroy are one algorithm: observe both clouds, plan
//! actions (pure), act, observe again. `docs/architecture.md` shows the path of one apply;
//! `docs/decisions/` records why.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, rest)) = arguments.split_first()
        && command == "permissions"
    {
        return awsazure::provider::permissions::command::run(rest);
    }
    let code = terraform_plugin::serve(
        Arc::new(awsazure::provider::assemble()),
        env!("CARGO_PKG_VERSION"),
        &["awsazure"],
    );
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{}", awsazure::provider::permissions::command::USAGE);
    }
    code
}
