//! Settings as the clouds have them: where all four tunnels or connections agree on something, an
//! attribute shows it.

use super::attribute_paths::value_path;
use super::attributes::{AttributeRow, Source, path_of, table};
use super::default_options::{POLICY_FIELDS, policy_fields};
use super::model::read_config;
use super::planned::PlannedState;
use crate::aws::model::{RouteTableId, Tunnel, VpnConnection};
use crate::azure::model::{Connection, Gateway, PublicIp};
use bgp_vpn::compare::azure_policy_agrees;
use bgp_vpn::config::{AttributeId, IpsecPolicyConfig};
use bgp_vpn::ipsec::IpsecPolicy;
use bgp_vpn::observed::Observed;
use bgp_vpn::preflight::eq_ignoring_case_and_spaces;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;
use terraform_plugin::Value;

/// Puts the clouds' settings in place of a state's.
pub fn refresh_settings(state: &mut Value, observed: &Observed) {
    let policy = state.get("ipsec_policy").clone();
    let unmanaged = read_config(state)
        .policy
        .known()
        .is_some_and(IpsecPolicyConfig::is_unmanaged);
    let left_alone = |path: &str| unmanaged && path.starts_with("ipsec_policy");
    for (path, value) in observed_settings(observed, Consensus::Unanimous)
        .into_iter()
        .filter(|(path, _)| !left_alone(path))
    {
        let before = state.at(&path.as_str().into());
        let same = match (before.as_str(), value.as_str()) {
            (Some(before), Some(now)) if path == path_of(&AttributeId::Location) => {
                eq_ignoring_case_and_spaces(before, now)
            }
            _ => *before == value,
        };
        if !same {
            state.set_at(&path.as_str().into(), value);
        }
    }
    // A configured preset may have single fields that override it: it stays while they do.
    if POLICY_FIELDS
        .iter()
        .all(|name| policy.get(name) == state.get("ipsec_policy").get(name))
    {
        state.set("ipsec_policy", policy);
    }
}

/// Puts the clouds' settings, and the tables that get the AWS gateway's routes, where a plan left
/// them unknown.
pub fn resolve_unknown(
    state: &mut Value,
    observed: &Observed,
    tables: &BTreeSet<Option<RouteTableId>>,
) {
    for (path, value) in observed_settings(observed, Consensus::Unanimous) {
        if !state.at(&path.as_str().into()).is_known() {
            state.set_at(&path.as_str().into(), value);
        }
    }
    // A link whose public table is still to be created has no set yet: the part that exists would
    // be taken for the complete set.
    let tables: Option<Vec<Value>> = tables
        .iter()
        .map(|table| table.as_ref().map(|id| Value::from(id.0.clone())))
        .collect();
    if read_config(state).route_tables.is_unknown()
        && let Some(ids) = tables.filter(|ids| !ids.is_empty())
    {
        state.set_at(&value_path(&AttributeId::RouteTables), Value::Set(ids));
    }
}

/// Sets the same of a draft where nothing is configured. Where the four do not agree, what most of
/// them have counts, and the others differ from it; a policy that cannot be written as one is never
/// changed.
pub fn import_settings(planned: &mut PlannedState<'_>, observed: &Observed) {
    for name in POLICY_FIELDS.iter().chain(&["preset"]) {
        planned.fill(&AttributeId::Policy(name), Value::Null);
    }
    for (path, value) in observed_settings(observed, Consensus::Majority) {
        planned.fill(&path, value);
    }
}

/// How many of the four have to have a value for it to be the link's.
#[derive(Clone, Copy)]
enum Consensus {
    Unanimous,
    Majority,
}

/// Settings of the objects that were observed, for the rows of the attribute table.
pub struct CloudSettings<'a> {
    pub observed: &'a Observed,
    connections: Vec<&'a Connection>,
    vpn_connections: Vec<&'a VpnConnection>,
    tunnels: Vec<&'a Tunnel>,
    count: Consensus,
}

impl<'a> CloudSettings<'a> {
    fn new(observed: &'a Observed, count: Consensus) -> Self {
        CloudSettings {
            observed,
            connections: observed
                .azure
                .connections
                .iter()
                .filter_map(|(_, connection)| connection.as_ref())
                .collect(),
            vpn_connections: observed
                .aws
                .vpn_connections
                .iter()
                .filter_map(|(_, vpn)| vpn.as_ref())
                .collect(),
            tunnels: TunnelKey::ALL
                .into_iter()
                .filter_map(|key| observed.tunnel(key))
                .collect(),
            count,
        }
    }

    pub fn azure_gateway(&self) -> Option<&'a Gateway> {
        self.observed.azure.gateway.as_ref()
    }

    /// Where the Azure gateway is, or is to be.
    pub fn location(&self) -> Option<&'a str> {
        let network = self
            .observed
            .azure
            .network
            .as_ref()
            .map(|network| &network.resource);
        self.azure_gateway()
            .map(|gateway| &gateway.resource)
            .or(network)
            .map(|resource| resource.location.as_str())
    }

    /// Availability zones of the public IPs, once both exist and are in the same ones.
    pub fn zones(&self) -> Option<BTreeSet<String>> {
        let ips: Vec<&PublicIp> = self
            .observed
            .azure
            .public_ips
            .iter()
            .filter_map(|(_, ip)| ip.as_ref())
            .collect();
        let zones = ips
            .iter()
            .map(|ip| ip.zones.iter().cloned().collect::<BTreeSet<_>>());
        consensus(zones, Consensus::Unanimous).filter(|_| ips.len() == Instance::ALL.len())
    }

    /// What the Azure connections have in common.
    pub fn of_connections<T: PartialEq>(&self, read: impl Fn(&Connection) -> T) -> Option<T> {
        consensus(
            self.connections.iter().map(|connection| read(connection)),
            self.count,
        )
    }

    pub fn has_vpn_connections(&self) -> bool {
        !self.vpn_connections.is_empty()
    }

    /// What the VPN connections have in common.
    pub fn of_vpn_connections<T: PartialEq>(
        &self,
        read: impl Fn(&VpnConnection) -> T,
    ) -> Option<T> {
        consensus(self.vpn_connections.iter().map(|vpn| read(vpn)), self.count)
    }

    /// Whether the VPN connections are accelerated; None where one is and one is not.
    pub fn acceleration(&self) -> Option<bool> {
        consensus(
            self.vpn_connections.iter().map(|vpn| vpn.accelerated),
            Consensus::Unanimous,
        )
    }

    /// What the AWS ends of the tunnels have in common, of those that tell.
    pub fn of_tunnels<T: PartialEq>(&self, read: impl Fn(&Tunnel) -> Option<T>) -> Option<T> {
        consensus(
            self.tunnels.iter().filter_map(|tunnel| read(tunnel)),
            self.count,
        )
    }

    /// The one policy of all ends, if they have one that can be written once.
    fn policy(&self) -> Option<IpsecPolicy> {
        let options = self.tunnels.iter().map(|tunnel| &tunnel.options);
        let policies =
            options.map(|options| IpsecPolicy::read_aws(&options.phase1, &options.phase2));
        let policy = consensus(policies, Consensus::Unanimous)??;
        // Lifetimes are not compared.
        let azure = policy.azure(false);
        let agrees = |connection: &&Connection| {
            azure_policy_agrees(connection.policy.as_ref(), azure.as_ref())
        };
        self.connections.iter().all(agrees).then_some(policy)
    }
}

fn observed_settings(observed: &Observed, count: Consensus) -> Vec<(String, Value)> {
    let clouds = CloudSettings::new(observed, count);
    let read = |row: &AttributeRow| match row.source {
        Source::Settings(read) => Some((row.path.clone(), read(&clouds)?)),
        _ => None,
    };
    let mut found: Vec<(String, Value)> = table().iter().filter_map(read).collect();
    if let Some(policy) = clouds.policy() {
        let preset = policy.preset().map(|preset| preset.to_string());
        let fields = POLICY_FIELDS
            .into_iter()
            .zip(policy_fields(&policy))
            .chain([("preset", preset.into())]);
        found.extend(fields.map(|(name, value)| (format!("ipsec_policy.{name}"), value)));
    }
    found
}

/// The value that all have, or that most have and among them the first; None where there is none.
fn consensus<T: PartialEq>(values: impl Iterator<Item = T>, count: Consensus) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    let having = |value: &T| values.iter().filter(|other| *other == value).count();
    let most = values.iter().map(having).max()?;
    let first = values.iter().position(|value| having(value) == most)?;
    (most == values.len() || matches!(count, Consensus::Majority))
        .then(|| values.swap_remove(first))
}
