//! What a change of an attribute does, for the documentation of the attribute and for the warnings of a plan.

use crate::plugin::Diagnostic;

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
    /// Both tunnels of a VPN connection are interrupted, of one connection after the other.
    InterruptsConnections,
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
            Effect::ReplacesLink | Effect::ReplacesNetwork => "Changing this forces a new resource.",
            Effect::RecreatesAwsSide => "Changing this recreates the AWS side of the link in place.",
            Effect::RecreatesVpc => "Changing this recreates the VPC and the AWS side of the link in place.",
            Effect::RecreatesCustomerGateways => {
                "Changing this recreates the AWS customer gateways and VPN connections in place."
            }
            Effect::RecreatesConnections => {
                "Changing this recreates one VPN connection after the other, each while the tunnels of the other one are up."
            }
            Effect::InterruptsConnections => {
                "Changing this interrupts one VPN connection after the other, each while the tunnels of the other one are up."
            }
            Effect::InterruptsTunnels => "Changing this interrupts one tunnel after the other.",
            Effect::ResizesGateway => {
                "Changing this resizes the gateway in place, within a generation. It takes up to 45 minutes and interrupts traffic for \
                 moments."
            }
            Effect::RotatesKeys => "Changing this rotates the keys of all four tunnels, one tunnel after the other.",
            Effect::AppliesKeys => "Changing this sets the configured keys, one tunnel after the other.",
            Effect::InPlace => "Changing this interrupts no tunnel.",
            Effect::NamesNewObjects => {
                "Changing this does not rename existing objects; it applies to objects created afterwards."
            }
            Effect::ClaimsGateways => "Changing this changes what destroy deletes, and interrupts nothing.",
            Effect::LocalOnly => "Changing this changes no object.",
            Effect::Fixed => "Changing this is rejected while the object exists.",
        }
    }

    /// The warning of a plan that changes the attribute at this path; None where nothing is interrupted.
    pub fn warning(self, path: &str) -> Option<Diagnostic> {
        let keys = "The shared keys are changed one tunnel at a time, each for some minutes. A tunnel that is up is interrupted only while all \
                    others are up; where one does not come back, the roll stops.";
        let (summary, detail) = match self {
            Effect::ReplacesLink => {
                let detail = format!(
                    "A change of {path} takes another Azure gateway: the link is down from the start of the apply until the new one is built, \
                     which takes half an hour to an hour. All addresses of the tunnels change."
                );
                return Some(Diagnostic::warning("The link will be built anew").detail(detail).at(path));
            }
            Effect::RecreatesAwsSide => (
                "The AWS half of the link will be built anew",
                "VPN connections, customer gateways and, unless it is named by id, the VPN gateway are deleted and made anew: \
                 the link is down for some minutes, and the AWS addresses of all tunnels change.",
            ),
            Effect::RecreatesCustomerGateways => (
                "All tunnels will be interrupted",
                "The ASN of the Azure gateway changes in place; the customer gateways and VPN connections that name it are made \
                 anew. All tunnels are down for some minutes, and their AWS addresses change.",
            ),
            Effect::RecreatesConnections => (
                "The tunnels will be interrupted",
                "The VPN connections are made anew, one after the other, and the AWS addresses of all tunnels change. Traffic goes over \
                 the tunnels of the other one meanwhile.",
            ),
            Effect::InterruptsConnections => (
                "The tunnels will be interrupted",
                "Both tunnels of a VPN connection are down for some minutes while their bandwidth changes, of one connection after \
                 the other. Traffic goes over the tunnels of the other one meanwhile.",
            ),
            Effect::InterruptsTunnels => (
                "The tunnels will be interrupted",
                "AWS takes a tunnel down while its options change, some minutes each; a change of policy or addresses takes both ends. \
                 Traffic goes over the other tunnels meanwhile.",
            ),
            Effect::ResizesGateway => (
                "The Azure gateway will change its size",
                "A change of the SKU may take up to 45 minutes and interrupts traffic for moments.",
            ),
            Effect::RotatesKeys => ("All four shared keys will be rolled", keys),
            Effect::AppliesKeys => ("Your own shared keys will be set", keys),
            _ => return None,
        };
        Some(Diagnostic::warning(summary).detail(detail).at(path))
    }
}
