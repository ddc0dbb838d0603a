//! What an object must be, as planned, for a run to take it over.

use super::ownership_tags::AwsEndpoint;
use super::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use crate::types::Asn;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;

/// What an object must be to be this link's. What is None was not said and is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// AWS sides as the tag has them: the planned one, and the one in the state.
    pub endpoints: BTreeSet<String>,
    /// The planned AWS side, where the state has another one. Only a run of this move tags objects
    /// with it, so they need no incomplete tag: the run may have been killed after it removed that
    /// tag and before Terraform wrote the state.
    pub moves_to: Option<String>,
    pub vpc_cidr: Option<Ipv4Net>,
    pub amazon_asn: Option<Asn>,
    pub azure_asn: Option<Asn>,
    /// Of the virtual network that the link creates.
    pub address_space: Option<Vec<Ipv4Net>>,
    /// The link creates the Azure gateway.
    pub makes_gateway: bool,
    /// The delete half of this replacement left objects in place, which are no sign of an earlier
    /// or another run.
    pub handed_over: bool,
}

impl Adoption {
    pub fn of(spec: &Spec) -> Self {
        let (azure, aws) = (&spec.azure, &spec.aws);
        Adoption {
            endpoints: AwsEndpoint::of(aws)
                .map(|endpoint| endpoint.to_string())
                .into_iter()
                .collect(),
            moves_to: None,
            vpc_cidr: if let AwsNetwork::Create { cidr, .. } = &aws.network {
                Some(*cidr)
            } else {
                None
            },
            amazon_asn: if let AwsGateway::ManagedVgw { asn } = &aws.gateway {
                Some(*asn)
            } else {
                None
            },
            azure_asn: if let AzureGateway::Managed { asn, .. } = &azure.gateway {
                Some(*asn)
            } else {
                None
            },
            address_space: match &azure.network {
                AzureNetwork::Create { address_space, .. } => Some(address_space.clone()),
                AzureNetwork::Existing { .. } => None,
            },
            makes_gateway: matches!(azure.gateway, AzureGateway::Managed { .. }),
            handed_over: false,
        }
    }
}
