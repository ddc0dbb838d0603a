//! Errors of a plan that does not know where to create the link.

use super::attribute_paths::value_path;
use crate::provider::summaries;
use bgp_vpn::config::AttributeId;
use terraform_plugin::Diagnostic;

/// Rejects a create for which no AWS region is known.
pub fn missing_region() -> Diagnostic {
    Diagnostic::error(summaries::MISSING_AWS_REGION)
        .detail(
            "No AWS region is configured. Set aws.region in this resource or in the provider block, AWS_REGION, AWS_DEFAULT_REGION, or region \
             in the AWS profile.",
        )
        .at(value_path(&AttributeId::Region))
}

/// Rejects a create for which no Azure subscription is known.
pub fn missing_subscription() -> Diagnostic {
    Diagnostic::error(summaries::MISSING_SUBSCRIPTION).detail(
        "The link creates its virtual network, so no resource ID contains the Azure subscription. Set azure.subscription_id in the provider \
         block, or set ARM_SUBSCRIPTION_ID.",
    )
}
