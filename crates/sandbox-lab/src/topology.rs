//! Which ends run. What they are configured with is never asked here.

use awsazure_sandbox::dataplane::{AwsEndpoint, AzureEndpoint, LabFault};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// An end's name within a lab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EndpointId {
    Aws(Ipv4Addr),
    /// Connection and instance.
    Azure(String, usize),
}

/// What one cloud was given of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndpointConfig {
    Aws(AwsEndpoint),
    Azure(AzureEndpoint),
}

impl EndpointConfig {
    /// Without what it announces: that concerns the speakers, not the tunnel.
    pub fn tunnel(&self) -> EndpointConfig {
        match self {
            EndpointConfig::Aws(end) => EndpointConfig::Aws(AwsEndpoint {
                announces: Vec::new(),
                ..end.clone()
            }),
            EndpointConfig::Azure(end) => EndpointConfig::Azure(AzureEndpoint {
                announces: Vec::new(),
                ..end.clone()
            }),
        }
    }
}

/// The ends in service that anybody would ever hear of: every AWS endpoint; and of Azure's, which
/// has each connection on both instances, those that an AWS endpoint dials or answers. An endpoint
/// that meets none of them still reaches the gateway at that address, if there is one: then its
/// first end runs, to refuse.
pub(super) fn running(
    aws: &[AwsEndpoint],
    azure: &[AzureEndpoint],
) -> BTreeMap<EndpointId, EndpointConfig> {
    let mut endpoints = BTreeMap::new();
    for own in aws.iter().filter(|end| end.serving) {
        let at_peer = || {
            azure
                .iter()
                .filter(|end| end.serving && end.public_ip == own.peer_ip)
        };
        if let Some(end) = at_peer()
            .find(|end| end.peer_ip == own.outside_ip)
            .or_else(|| at_peer().next())
        {
            endpoints.insert(
                EndpointId::Azure(end.connection_id.to_lowercase(), end.instance),
                EndpointConfig::Azure(end.clone()),
            );
        }
        endpoints.insert(
            EndpointId::Aws(own.outside_ip),
            EndpointConfig::Aws(own.clone()),
        );
    }
    endpoints
}

/// Whether the end is gone with its instance.
pub(super) fn is_stopped(config: &EndpointConfig, faults: &[LabFault]) -> bool {
    matches!(config, EndpointConfig::Azure(end) if faults.iter().any(|fault| fault.affects_azure(end)))
}
