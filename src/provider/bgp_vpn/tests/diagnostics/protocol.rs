//! Errors of the protocol layer.

use terraform_plugin::errors;
use terraform_plugin::msgpack::{MsgpackError, Problem};
use terraform_plugin::{AttributePath, Diagnostic};

use super::samples;

pub fn errors() -> Vec<Diagnostic> {
    let present = ["awsazure_bgp_vpn".to_owned()];
    let path = || AttributePath::from("preshared_keys_wo");
    let mismatch = errors::other_schema_version(&"azure.sku: string is required", 1, 0);
    let mut found = vec![
        errors::nothing_imported(),
        errors::state_not_json(),
        errors::state_too_old(),
        errors::invalid_value(
            "the stored state",
            &"azure.sku: string is required",
            "azure.sku".into(),
        )
        .detail(mismatch),
        errors::missing_identity("awsazure_bgp_vpn"),
        errors::interrupted("ApplyResourceChange"),
        errors::crashed("ApplyResourceChange", Some("src/x.rs:12")),
        errors::unsupported_deferral(),
        errors::unsupported_move("aws_vpn_connection", "awsazure_bgp_vpn"),
        errors::unsupported_write_only(path()),
        errors::unsupported_type("resource", "awsazure_vpn", present.iter()),
        errors::unsupported_type("data source", "awsazure_vpn", [].iter()),
    ];
    let problems = samples!(Problem {
        Problem::Truncated => Problem::Truncated,
        Problem::Trailing => Problem::Trailing,
        Problem::Needed(_) => Problem::Needed("a string"),
        Problem::NotUtf8 => Problem::NotUtf8,
        Problem::BadNumber => Problem::BadNumber,
        Problem::BadType => Problem::BadType,
        Problem::BadRefinement => Problem::BadRefinement,
        Problem::Unexpected => Problem::Unexpected,
        Problem::Missing => Problem::Missing,
        Problem::Twice => Problem::Twice,
        Problem::Count { .. } => Problem::Count { needed: 2 },
        Problem::TooDeep => Problem::TooDeep,
        Problem::NotJson => Problem::NotJson,
    });
    found.extend(
        problems
            .into_iter()
            .map(|problem| MsgpackError::from(problem).diagnostic("the configuration")),
    );
    found
}
