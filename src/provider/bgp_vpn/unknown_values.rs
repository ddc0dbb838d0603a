//! Which computed attributes a plan leaves unknown. A value that cannot change stays known, so that
//! a plan that changes one object shows one object.

use super::attributes::{Mode, paths};
use super::change_set::{ChangeSet, instance_keys};
use super::flatten::planned_tunnel;
use super::link_status::{LinkStatus, is_interrupted};
use super::planned::PlannedState;
use super::private_state::PrivateState;
use super::public_subnet;
use bgp_vpn::managed::Kind;
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeSet;
use terraform_plugin::Value;

/// Computed attributes of a new link.
pub fn unknown_for_create(draft: &mut PlannedState<'_>) {
    for path in paths(|row| row.mode == Mode::Computed && !row.path.contains('*')) {
        draft.fill(path, Value::unknown());
    }
    draft.fill("drift", Value::List(Vec::new()));
    draft.fill("status", LinkStatus::Complete.as_str());
    let tunnels = TunnelKey::ALL.map(|key| {
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            tunnel.set(field, Value::unknown());
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::map(tunnels));
}

const TUNNEL_IDS: [&str; 6] = [
    "aws_outside_ip",
    "azure_public_ip",
    "aws_vpn_connection_id",
    "aws_customer_gateway_id",
    "azure_local_network_gateway_id",
    "azure_connection_id",
];

/// Computed attributes of a link that is there: as before, but for what is missing or recreated.
pub fn unknown_for_update(draft: &mut PlannedState<'_>, prior: &Value, private: &PrivateState) {
    let changes = ChangeSet {
        prior,
        planned: &draft.planned.clone(),
    };
    let before = |path: &str| prior.at(&path.into()).clone();
    let or_unknown = |value: Value| {
        if value.is_null() {
            Value::unknown()
        } else {
            value
        }
    };
    draft.fill("id", or_unknown(before("id")));
    draft.fill("drift", Value::List(Vec::new()));
    draft.fill("status", LinkStatus::Complete.as_str());
    let mut managed = PlannedManaged::of(changes, private);
    let tunnels = TunnelKey::ALL.map(|key| {
        let renewed = changes.unknown_fields(key, private, is_interrupted(prior));
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            let value = prior
                .get("tunnels")
                .get(&key.to_string())
                .get(field)
                .clone();
            let value = if renewed.contains(&field) {
                Value::unknown()
            } else {
                or_unknown(value)
            };
            if !value.is_known() {
                managed.change(kind_of(field));
            }
            tunnel.set(field, value);
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::map(tunnels));
    let missing = [
        "azure.gateway_id",
        "azure.virtual_network_id",
        "aws.vpn_gateway_id",
    ];
    if missing.iter().any(|path| !draft.at(path).is_known()) {
        managed.all();
    }
    let vpc_anew = !draft.at("aws.vpc_id").is_known()
        || changes.changed("aws.vpc_id")
        || changes.changed("aws.region");
    let subnet = match (vpc_anew, draft.at("aws.vpc").is_null()) {
        (true, false) => Value::unknown(),
        (true, true) => Value::Null,
        (false, _) => public_subnet::planned_id(changes),
    };
    let new_subnet = !subnet.is_known();
    draft.fill("aws.public_subnet_id", subnet);
    let main = before("aws.main_route_table_id");
    draft.fill(
        "aws.main_route_table_id",
        if vpc_anew { Value::unknown() } else { main },
    );
    if new_subnet || vpc_anew {
        managed.all();
    }
    let ips = before("azure.public_ip_addresses");
    let whole = instance_keys().iter().all(|key| ips.get(key).is_set());
    draft.fill(
        "azure.public_ip_addresses",
        if whole { ips } else { Value::unknown() },
    );
    let named = draft
        .at("azure.virtual_network.subnets")
        .as_map()
        .map(|map| map.keys().cloned().collect::<Vec<_>>());
    let ids = before("azure.subnet_ids");
    let whole = ids.get("GatewaySubnet").is_set()
        && named.iter().flatten().all(|name| ids.get(name).is_set());
    let same = whole
        && !changes.changed("azure.virtual_network.subnets")
        && draft.at("azure.virtual_network_id").is_known();
    draft.fill(
        "azure.subnet_ids",
        if same { ids } else { Value::unknown() },
    );
    draft.fill("managed", managed.value(before("managed")));
}

/// The kind of object that a computed attribute of a tunnel identifies.
fn kind_of(field: &str) -> Option<Kind> {
    match field {
        "azure_public_ip" => Some(Kind::AzurePublicIp),
        "aws_vpn_connection_id" => Some(Kind::AwsVpnConnection),
        "aws_customer_gateway_id" => Some(Kind::AwsCustomerGateway),
        "azure_local_network_gateway_id" => Some(Kind::AzureLocalGateway),
        "azure_connection_id" => Some(Kind::AzureConnection),
        _ => None,
    }
}

/// The planned value of `managed`. Terraform prints an unknown map with all its ids as removed, so
/// only the sets of ids that change are unknown.
struct PlannedManaged {
    /// None: any kind may change.
    changed: Option<BTreeSet<Kind>>,
}

impl PlannedManaged {
    /// Before the ids of single objects are looked at: what a repair changes.
    fn of(changes: ChangeSet<'_>, private: &PrivateState) -> Self {
        let ended = LinkStatus::of(changes.prior) == LinkStatus::Complete;
        let drifted = changes
            .prior
            .get("drift")
            .as_list()
            .is_some_and(|found| !found.is_empty());
        let changed = match &private.changed_kinds {
            _ if !ended || changes.affects_managed() => None,
            _ if !drifted => Some(BTreeSet::new()),
            kinds => kinds
                .clone()
                .filter(|_| private.interrupted_moves.is_empty()),
        };
        PlannedManaged { changed }
    }

    fn change(&mut self, kind: Option<Kind>) {
        if let Some(changed) = &mut self.changed {
            changed.extend(kind);
        }
    }

    fn all(&mut self) {
        self.changed = None;
    }

    fn value(self, before: Value) -> Value {
        let Some(changed) = self.changed.filter(|_| before.is_set()) else {
            return Value::unknown();
        };
        // Whether a kind gets its first id is known after the apply only: a subnet of a virtual
        // network of the link is none of its own, and propagation may be another user's.
        if changed
            .iter()
            .any(|kind| !before.get(kind.as_str()).is_set())
        {
            return Value::unknown();
        }
        let mut value = before;
        for kind in changed {
            value.set(kind.as_str(), Value::unknown());
        }
        value
    }
}
