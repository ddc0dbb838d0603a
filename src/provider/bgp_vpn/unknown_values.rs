//! Which computed attributes a plan leaves unknown. A value that cannot change stays known, so that
//! a plan that changes one object shows one object.

use super::attributes::{AttributeRow, Effect, Mode, Shape, paths};
use super::change_set::ChangeSet;
use super::flatten::planned_tunnel;
use super::link_status::LinkStatus;
use super::model::{
    MAIN_ROUTE_TABLE_ID, Model, PUBLIC_IP_ADDRESSES, PUBLIC_SUBNET_ID, SUBNET_IDS,
    TRANSIT_ATTACHMENT_ID,
};
use super::planned::{Place, PlannedState};
use super::private_state::PrivateState;
use super::public_subnet;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::managed::Kind;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeSet;
use terraform_plugin::Value;

/// Computed attributes of a new link.
pub fn unknown_for_create(draft: &mut PlannedState<'_>) {
    for path in paths(|row| row.mode == Mode::Computed && !row.path.starts_with("tunnels.")) {
        draft.fill(path, Value::unknown());
    }
    draft.fill("drift", Value::List(Vec::new()));
    draft.fill("status", LinkStatus::Complete.as_str());
    let tunnels = TunnelKey::ALL.map(|key| {
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            tunnel.set(field, Value::unknown());
        }
        if draft
            .planned
            .at(&AttributeId::TransitGateway.path())
            .is_null()
        {
            tunnel.set(TRANSIT_ATTACHMENT_ID, Value::Null);
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::object(tunnels));
}

const TUNNEL_IDS: [&str; 7] = [
    "aws_outside_ip",
    "azure_public_ip",
    "aws_vpn_connection_id",
    TRANSIT_ATTACHMENT_ID,
    "aws_customer_gateway_id",
    "azure_local_network_gateway_id",
    "azure_connection_id",
];

/// Computed attributes of a link that is there: as before, but for what is missing or recreated.
pub fn unknown_for_update(
    draft: &mut PlannedState<'_>,
    changes: ChangeSet<'_>,
    private: &PrivateState,
) {
    let (prior, planned) = (changes.prior, changes.planned);
    let before = |path: &str| prior.at(path).clone();
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
        let renewed = changes.unknown_fields(key, private, prior.is_interrupted());
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            let value = prior.at("tunnels").get(&key.to_string()).get(field).clone();
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
        let is_read = renewed.contains(&TRANSIT_ATTACHMENT_ID) || changes_objects(changes, private);
        let id = tunnel.get(TRANSIT_ATTACHMENT_ID);
        if planned.transit_gateway_id.is_null() || !id.is_known() && !is_read {
            tunnel.set(TRANSIT_ATTACHMENT_ID, Value::Null);
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::object(tunnels));
    let ids = [
        &planned.gateway_id,
        &planned.network_id,
        &planned.vpn_gateway_id,
    ];
    if ids.into_iter().any(Attr::is_unknown) {
        managed.all();
    }
    let new_vpc = planned.vpc_id.is_unknown()
        || changes.any_changed(&[AttributeId::VpcId, AttributeId::Region]);
    let subnet = match (new_vpc, planned.vpc.is_null()) {
        (true, false) => Value::unknown(),
        (true, true) => Value::Null,
        (false, _) => public_subnet::planned_id(changes),
    };
    let new_subnet = !subnet.is_known();
    draft.fill(PUBLIC_SUBNET_ID, subnet);
    let main = before(MAIN_ROUTE_TABLE_ID);
    draft.fill(
        MAIN_ROUTE_TABLE_ID,
        if new_vpc { Value::unknown() } else { main },
    );
    if new_subnet || new_vpc {
        managed.all();
    }
    let mut addresses = prior.azure.public_ip_addresses.iter();
    let addresses = if addresses.all(|(_, address)| address.is_set()) {
        before(PUBLIC_IP_ADDRESSES)
    } else {
        Value::unknown()
    };
    draft.fill(PUBLIC_IP_ADDRESSES, addresses);
    let subnets_stay = has_all_subnet_ids(prior, planned)
        && !changes.changed(&AttributeId::Subnets)
        && !planned.network_id.is_unknown();
    let subnet_ids = if subnets_stay {
        before(SUBNET_IDS)
    } else {
        Value::unknown()
    };
    draft.fill(SUBNET_IDS, subnet_ids);
    draft.fill("managed", managed.value(before("managed")));
}

/// Whether the state has the id of the gateway subnet and of every planned subnet.
fn has_all_subnet_ids(prior: &Model, planned: &Config) -> bool {
    let Attr::Known(ids) = &prior.azure.subnet_ids else {
        return false;
    };
    let has = |name: &str| ids.get(name).is_some_and(Attr::is_set);
    let subnets = planned
        .network
        .known()
        .and_then(|network| network.subnets.known());
    has(GATEWAY_SUBNET) && subnets.into_iter().flatten().all(|(name, _)| has(name))
}

/// Whether an apply does more than to change the state. Credentials that may not read the attachments
/// leave their ids null, which alone is no reason for an apply.
fn changes_objects(changes: ChangeSet<'_>, private: &PrivateState) -> bool {
    let link = &changes.prior.link;
    let of_objects = |row: &AttributeRow| {
        let is_local = matches!(row.effect, Effect::LocalOnly | Effect::RotatesKeys);
        row.mode != Mode::Computed && row.shape != Shape::Object && !is_local
    };
    link.status != LinkStatus::Complete
        || !link.drift.is_empty()
        || changes.rotates_keys(private)
        || changes.applies_configured_keys()
        || paths(of_objects).any(|path| changes.changed(path))
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
        let link = &changes.prior.link;
        let ended = link.status == LinkStatus::Complete;
        let drifted = !link.drift.is_empty();
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
