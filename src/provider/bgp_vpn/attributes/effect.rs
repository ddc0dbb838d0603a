//! What a change of an attribute does, for the documentation of the attribute and for the warnings
//! of a plan.

use crate::provider::summaries;
use terraform_plugin::Diagnostic;

/// What a change of an attribute does to the objects of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Said by the object that it is in, or by the attributes in it.
    Unspecified,
    /// Terraform replaces the link.
    ReplacesLink,
    /// The virtual network gets another id, which is what replaces the link.
    ReplacesNetwork,
    /// The AWS side is recreated.
    RecreatesAwsSide,
    /// The VPC gets another id, which is what recreates the AWS side.
    RecreatesVpc,
    /// Customer gateways and VPN connections are recreated.
    RecreatesCustomerGateways,
    /// The VPN connections are recreated, one after the other.
    RecreatesConnections,
    /// Both tunnels of a VPN connection are interrupted, of one connection after the other. Where
    /// the region does not support the change in place, the connections are recreated.
    InterruptsConnections,
    /// The routes of a VPN connection are interrupted, of one connection after the other.
    InterruptsRoutes,
    /// One tunnel after the other is interrupted.
    InterruptsTunnels,
    /// The Azure gateway is resized.
    ResizesGateway,
    /// The keys of all tunnels are replaced by generated ones, one tunnel after the other.
    RotatesKeys,
    /// The configured keys are set, one tunnel after the other.
    AppliesKeys,
    /// Objects change, and no tunnel is interrupted.
    InPlace,
    /// Only objects that are created later are concerned.
    NamesNewObjects,
    /// What destroy deletes changes.
    ClaimsGateways,
    /// Only the state changes.
    LocalOnly,
    /// A change of what exists is rejected.
    Fixed,
    /// The description of the attribute says it.
    Described,
}

impl Effect {
    /// The sentence of the documentation.
    pub fn documentation(self) -> &'static str {
        match self {
            Effect::Unspecified | Effect::Described => "",
            Effect::ReplacesLink | Effect::ReplacesNetwork => {
                "Changing this forces a new resource."
            }
            Effect::RecreatesAwsSide => {
                "Changing this recreates the AWS side of the link in place."
            }
            Effect::RecreatesVpc => {
                "Changing this recreates the VPC and the AWS side of the link in place."
            }
            Effect::RecreatesCustomerGateways => {
                "Changing this recreates the AWS customer gateways and VPN connections in place."
            }
            Effect::RecreatesConnections => {
                "Changing this recreates one VPN connection after the other, each while the tunnels of the other one are up."
            }
            Effect::InterruptsConnections => {
                "Changing this interrupts one VPN connection after the other, each while the tunnels of the other one are up. In regions that \
                 do not support the change in place, it recreates them."
            }
            Effect::InterruptsRoutes => {
                "Changing this interrupts the routes of one VPN connection after the other, each while the tunnels of the other one are up."
            }
            Effect::InterruptsTunnels => "Changing this interrupts one tunnel after the other.",
            Effect::ResizesGateway => {
                "Changing this resizes the gateway in place, within a generation. It takes up to 45 minutes and interrupts traffic for \
                 moments."
            }
            Effect::RotatesKeys => {
                "Changing this rotates the keys of all four tunnels, one tunnel after the other."
            }
            Effect::AppliesKeys => {
                "Changing this sets the configured keys, one tunnel after the other."
            }
            Effect::InPlace => "Changing this interrupts no tunnel.",
            Effect::NamesNewObjects => {
                "Changing this does not rename existing objects; it applies to objects created afterwards."
            }
            Effect::ClaimsGateways => {
                "Changing this changes what destroy deletes, and interrupts nothing."
            }
            Effect::LocalOnly => "Changing this changes no object.",
            Effect::Fixed => "Changing this is rejected while the object exists.",
        }
    }

    /// The warning of a plan that changes the attribute at this path; None where nothing is
    /// interrupted.
    pub fn warning(self, path: &str) -> Option<Diagnostic> {
        let keys = "Pre-shared keys are changed one tunnel at a time; each tunnel is down for several minutes. A tunnel that is up is interrupted \
                    only while all others are up. The rotation stops if a tunnel does not come up again.";
        let (summary, detail) = match self {
            Effect::ReplacesLink => {
                let detail = format!(
                    "{path} changes, which replaces the Azure gateway. The link is down during the apply, which takes 30 to 60 minutes. All public \
                     addresses of the tunnels change."
                );
                return Some(
                    Diagnostic::warning(summaries::LINK_REPLACED)
                        .detail(detail)
                        .at(path),
                );
            }
            Effect::RecreatesAwsSide => (
                summaries::AWS_SIDE_RECREATED,
                "The VPN connections, the customer gateways and a virtual private gateway that this link created are deleted and \
                 recreated. The link is down for several minutes. The AWS addresses of all tunnels change.",
            ),
            Effect::RecreatesCustomerGateways => (
                summaries::ALL_TUNNELS_INTERRUPTED,
                "The ASN of the Azure gateway is updated in place. The customer gateways and VPN connections are recreated, because \
                 they contain it. All tunnels are down for several minutes, and their AWS addresses change.",
            ),
            Effect::RecreatesConnections => (
                summaries::TUNNELS_INTERRUPTED,
                "The VPN connections are recreated, one at a time. The tunnels of the other VPN connection carry the traffic. The AWS addresses of \
                 all tunnels change.",
            ),
            Effect::InterruptsConnections => (
                summaries::TUNNELS_INTERRUPTED,
                "Both tunnels of a VPN connection are down for several minutes while their bandwidth changes. The connections are \
                 updated one at a time. The tunnels of the other VPN connection carry the traffic. If the AWS region does not support the \
                 change in place, the connections are recreated instead, also one at a time, and the AWS addresses of all tunnels change.",
            ),
            Effect::InterruptsRoutes => (
                summaries::ROUTES_INTERRUPTED,
                "AWS associates an attachment with one route table at most. A VPN connection has no routes for about a minute, after its \
                 previous association ends and before the new one begins. The connections are updated one at a time. The \
                 tunnels of the other VPN connection carry the traffic.",
            ),
            Effect::InterruptsTunnels => (
                summaries::TUNNELS_INTERRUPTED,
                "The tunnels are updated one at a time, while the others carry the traffic. Each tunnel is down for several minutes.",
            ),
            Effect::ResizesGateway => (
                summaries::AZURE_GATEWAY_RESIZED,
                "A change of the SKU takes up to 45 minutes and interrupts traffic for a few seconds.",
            ),
            Effect::RotatesKeys => (summaries::KEYS_ROTATED, keys),
            Effect::AppliesKeys => (summaries::CONFIGURED_KEYS_APPLIED, keys),
            _ => return None,
        };
        Some(Diagnostic::warning(summary).detail(detail).at(path))
    }
}
