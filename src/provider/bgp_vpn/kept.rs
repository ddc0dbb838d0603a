//! Networks and the VPN gateway that a replacement leaves in place: only the Azure gateway and what
//! is attached to it has to be new. Other objects may be in these networks, and other resources
//! refer to their ids.
//!
//! Terraform carries out a replacement as a delete and a create. The delete half tags what is kept
//! as an incomplete part of the new link, so that the create half finds it, and so does a later run
//! should this one be killed in between.

use super::change_set::ChangeSet;
use super::default_options::inside_cidrs;
use super::expand::endpoint;
use super::flatten::{identity, managed_value, read_managed};
use super::link_status::LinkStatus;
use super::private_state::{PrivateState, to_json};
use super::replacing_attributes::is_same_setting;
use super::resume::ResumeCache;
use crate::aws::model::{VpcId, VpnGatewayId};
use crate::azure::id::ResourceId;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::HandOver;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::tunnel::TunnelKey;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use terraform_plugin::{AttributePath, Value, json};

/// What a replacement keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Value of the ownership tag of the new link.
    link: String,
    /// The AWS side of the new link, as its tag has it.
    endpoint: Option<String>,
    /// Ids by kind, as in `managed`.
    objects: BTreeMap<String, Vec<String>>,
    /// Computed attributes of the old link that the new one has as well, as a part of its state.
    /// The plan leaves them unknown: under create_before_destroy, the plan right before the create
    /// cannot repeat them, and Terraform reports a provider bug.
    attributes: Json,
    /// Their paths.
    paths: Vec<String>,
    /// Values of the tag `Name`, by id.
    names: BTreeMap<String, String>,
    /// The gateway subnet of a virtual network that is kept, where its prefix changes.
    deleted_subnet: Option<String>,
}

/// Which objects a replacement keeps. `planned` is the new link; `link` is its ownership tag's
/// value.
pub fn kept(changes: ChangeSet<'_>, private: &PrivateState, link: Option<&LinkId>) -> Option<Kept> {
    let managed = read_managed(changes.prior);
    let mut kept = Kept {
        link: link?.to_string(),
        endpoint: endpoint(changes.planned, private).map(|endpoint| endpoint.to_string()),
        ..Kept::default()
    };
    keep_aws(changes, &managed, &mut kept);
    keep_azure(changes, &managed, &mut kept);
    rename(changes, &mut kept);
    let mut attributes = Value::Null;
    for path in kept
        .paths
        .iter()
        .map(|path| AttributePath::from(path.as_str()))
    {
        attributes.set_at(&path, changes.prior.at(&path).clone());
    }
    kept.attributes = to_json(&attributes);
    (!kept.objects.is_empty()).then_some(kept)
}

fn keep_aws(changes: ChangeSet<'_>, managed: &Managed, kept: &mut Kept) {
    let same = |path: &str| same(changes, path);
    if !same("aws.region") {
        return;
    }
    let created = same("aws.vpc.cidr_block");
    if created {
        kept.take(managed, &[Kind::AwsVpc]);
        kept.paths
            .extend(["aws.vpc_id", "aws.main_route_table_id"].map(str::to_owned));
        let path = "aws.vpc.public_subnet_cidr_block";
        if same(path) || both_null(changes, path) {
            kept.take(
                managed,
                &[
                    Kind::AwsInternetGateway,
                    Kind::AwsSubnet,
                    Kind::AwsRouteTable,
                ],
            );
            kept.paths
                .extend(["aws.public_subnet_id"].map(str::to_owned));
        }
    }
    let given = changes.prior.at(&"aws.vpc".into()).is_null() && same("aws.vpc_id");
    let stays_off_transit = both_null(changes, "aws.transit_gateway_id");
    let gateway = changes.planned.at(&"aws.vpn_gateway_id".into());
    let stays = !gateway.is_known() || same("aws.vpn_gateway_id");
    let managed_gateway = managed.ids(Kind::AwsVpnGateway).next().is_some();
    if (created || given) && stays_off_transit && stays && same("aws.asn") && managed_gateway {
        kept.take(managed, &[Kind::AwsVpnGateway]);
        kept.paths.extend(["aws.vpn_gateway_id"].map(str::to_owned));
    }
}

fn keep_azure(changes: ChangeSet<'_>, managed: &Managed, kept: &mut Kept) {
    let same = |path: &str| same(changes, path);
    let places = ["azure.resource_group_name", "azure.location"];
    if !places.into_iter().all(same) || moves_subscription(changes) {
        return;
    }
    if changes
        .planned
        .at(&"azure.create_resource_group".into())
        .as_bool()
        == Some(true)
    {
        kept.take(managed, &[Kind::AzureResourceGroup]);
    }
    let includes = |path: &str| {
        includes(
            changes.planned.at(&path.into()),
            changes.prior.at(&path.into()),
        )
    };
    let network = same("azure.virtual_network.name")
        && includes("azure.virtual_network.address_space")
        && includes("azure.virtual_network.subnets");
    let id = changes
        .prior
        .at(&"azure.virtual_network_id".into())
        .as_str();
    let Some(id) = id.filter(|id| network && managed.has(Kind::AzureVirtualNetwork, id)) else {
        return;
    };
    kept.take(managed, &[Kind::AzureVirtualNetwork]);
    kept.paths
        .extend(["azure.virtual_network_id"].map(str::to_owned));
    if !changes.changed("azure.virtual_network.subnets") {
        kept.paths.extend(["azure.subnet_ids"].map(str::to_owned));
    }
    if !same("azure.virtual_network.gateway_subnet_prefix") {
        kept.deleted_subnet = ResourceId::parse(id)
            .ok()
            .map(|id| id.child("subnets", GATEWAY_SUBNET).to_string());
    }
}

/// Objects that are created get the planned names, so those that are kept do as well: a change of a
/// name alone renames nothing.
fn rename(changes: ChangeSet<'_>, kept: &mut Kept) {
    let names = [
        (Kind::AwsVpc, "vpc"),
        (Kind::AwsInternetGateway, "internet_gateway"),
        (Kind::AwsSubnet, "public_subnet"),
        (Kind::AwsRouteTable, "public_route_table"),
        (Kind::AwsVpnGateway, "vpn_gateway"),
    ];
    for (kind, attribute) in names {
        let path = format!("aws.names.{attribute}");
        let name = changes.planned.at(&path.as_str().into()).as_str();
        let ids = kept.objects.get(kind.as_str()).into_iter().flatten();
        let renamed: Vec<_> = name
            .map(|name| ids.map(|id| (id.clone(), name.to_owned())).collect())
            .unwrap_or_default();
        kept.names.extend(renamed);
    }
}

/// Whether a setting is known, set and the same before and after.
fn same(changes: ChangeSet<'_>, path: &str) -> bool {
    let (before, now) = (
        changes.prior.at(&path.into()),
        changes.planned.at(&path.into()),
    );
    before.is_set() && now.is_set() && is_same_setting(before, now)
}

fn both_null(changes: ChangeSet<'_>, path: &str) -> bool {
    changes.prior.at(&path.into()).is_null() && changes.planned.at(&path.into()).is_null()
}

/// Whether every element of `before` is still there: what a create finds beyond the configuration,
/// it leaves alone.
fn includes(planned: &Value, before: &Value) -> bool {
    if let Some(before) = before.as_map() {
        let now = planned.as_map();
        return before
            .iter()
            .all(|(name, prefix)| now.and_then(|now| now.get(name)) == Some(prefix));
    }
    let (now, before) = (
        planned.as_list().unwrap_or_default(),
        before.as_list().unwrap_or_default(),
    );
    before.iter().all(|range| now.contains(range)) && planned.is_wholly_known()
}

/// Whether the new link names another subscription.
fn moves_subscription(changes: ChangeSet<'_>) -> bool {
    let of = |value: &Value| {
        let id = value
            .at(&"azure.virtual_network_id".into())
            .as_str()
            .and_then(|id| ResourceId::parse(id).ok());
        id.map(|id| id.subscription().to_lowercase())
    };
    of(changes.prior)
        .zip(of(changes.planned))
        .is_some_and(|(before, now)| before != now)
}

impl Kept {
    fn take(&mut self, managed: &Managed, kinds: &[Kind]) {
        for kind in kinds {
            let ids: Vec<String> = managed.ids(*kind).map(str::to_owned).collect();
            if !ids.is_empty() {
                self.objects.insert(kind.to_string(), ids);
            }
        }
    }

    /// The new link's ownership tag.
    pub fn link(&self) -> LinkId {
        LinkId::from_tag(&self.link)
    }

    pub fn managed(&self) -> Managed {
        let ids = |kind: Kind| {
            Some((
                kind,
                self.objects.get(kind.as_str())?.iter().cloned().collect(),
            ))
        };
        Managed(Kind::ALL.into_iter().filter_map(ids).collect())
    }

    /// What is left to delete of what a link manages.
    pub fn removed(&self, managed: Managed) -> Managed {
        let kept = self.managed();
        let mut removed = managed;
        for (kind, ids) in &mut removed.0 {
            ids.retain(|id| !kept.has(*kind, id));
        }
        removed.0.retain(|_, ids| !ids.is_empty());
        self.deleted_subnet
            .iter()
            .for_each(|id| removed.add(Kind::AzureSubnet, id));
        removed
    }

    pub fn hand_over(&self) -> HandOver {
        let (endpoint, names) = (self.endpoint.clone(), self.names.clone());
        HandOver {
            link: self.link(),
            endpoint,
            kept: self.managed(),
            names,
        }
    }

    /// Where the create half finds what is kept. EC2 may list new tags late.
    pub fn seed(&self, known: &mut KnownIds) {
        let managed = self.managed();
        let first = |kind: Kind| managed.ids(kind).next().map(str::to_owned);
        known.vpc = first(Kind::AwsVpc).map(VpcId).or(known.vpc.take());
        known.vpn_gateway = first(Kind::AwsVpnGateway)
            .map(VpnGatewayId)
            .or(known.vpn_gateway.take());
    }

    fn values(&self) -> impl Iterator<Item = (AttributePath, Value)> {
        let text = self.attributes.to_string();
        let attributes =
            json::decode(super::schema::value_type(), text.as_bytes()).unwrap_or_default();
        let paths = self
            .paths
            .iter()
            .map(|path| AttributePath::from(path.as_str()));
        paths.map(move |path| (path.clone(), attributes.at(&path).clone()))
    }

    /// The state of a create that failed before it read or wrote anything: what is kept is still
    /// there, and is this link's.
    pub fn incomplete_state(&self, planned: &Value) -> (Value, Option<Value>) {
        let mut state = planned.clone();
        self.values()
            .for_each(|(path, value)| state.set_at(&path, value));
        state.set("managed", managed_value(&self.managed()));
        LinkStatus::Incomplete.store(&mut state, Vec::new());
        let gateway = state
            .at(&"azure.gateway_id".into())
            .as_str()
            .map(str::to_owned);
        let first = inside_cidrs(&state).map(|cidrs| cidrs.get(TunnelKey::ALL[0]).to_string());
        let named = gateway
            .zip(first)
            .map(|(gateway, first)| identity(&gateway, &first));
        if let Some((id, _)) = &named {
            state.set("id", id.clone());
        }
        (state.unknown_as_null(), named.map(|(_, identity)| identity))
    }
}

/// What the plan of a create keeps: by the state that it replaces, or, while Terraform applies, as
/// the delete half left it.
pub fn kept_by_create(
    planned: &Value,
    private: &PrivateState,
    resume_cache: &ResumeCache,
    link: Option<&LinkId>,
) -> Option<Kept> {
    match &private.replaced {
        Some(replaced) => kept(
            ChangeSet {
                prior: &resume_cache.get(Some(replaced))?.state,
                planned,
            },
            private,
            link,
        ),
        None => resume_cache.kept(link?),
    }
}
