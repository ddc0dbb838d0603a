//! Networks and the VPN gateway that a replacement leaves in place: only the Azure gateway and what
//! is attached to it has to be new. Other objects may be in these networks, and other resources
//! refer to their ids.
//!
//! Terraform carries out a replacement as a delete and a create. The delete half tags what is kept
//! as an incomplete part of the new link, so that the create half finds it, and so does a later run
//! should this one be killed in between.

use super::attributes::path_of;
use super::change_set::ChangeSet;
use super::default_options::inside_cidrs;
use super::expand::endpoint;
use super::flatten::{identity, managed_value};
use super::link_status::LinkStatus;
use super::model::{MAIN_ROUTE_TABLE_ID, Model, PUBLIC_SUBNET_ID, SUBNET_IDS, read_config};
use super::planned::Place;
use super::private_state::{PrivateState, to_json};
use super::replacing_attributes::is_same_text;
use super::resume::ResumeCache;
use crate::aws::model::{VpcId, VpnGatewayId};
use crate::azure::id::ResourceId;
use bgp_vpn::config::{Attr, AttributeId, Config};
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
    let mut kept = Kept {
        link: link?.to_string(),
        endpoint: endpoint(changes.planned, private).map(|endpoint| endpoint.to_string()),
        ..Kept::default()
    };
    keep_aws(changes.prior, changes.planned, &mut kept);
    keep_azure(changes.prior, changes.planned, &mut kept);
    rename(changes.planned, &mut kept);
    let mut attributes = Value::Null;
    for path in &kept.paths {
        attributes.set_at(&path.path(), changes.prior.at(path).clone());
    }
    kept.attributes = to_json(&attributes);
    (!kept.objects.is_empty()).then_some(kept)
}

fn keep_aws(prior: &Model, planned: &Config, kept: &mut Kept) {
    if !same_text(&prior.region, &planned.region) {
        return;
    }
    let managed = &prior.link.managed;
    let created = same_text(&prior.vpc_cidr(), &planned.vpc_cidr());
    if created {
        kept.take(managed, &[Kind::AwsVpc]);
        kept.copy(&[path_of(&AttributeId::VpcId), MAIN_ROUTE_TABLE_ID]);
        let (subnet, planned_subnet) = (prior.public_subnet(), planned.public_subnet());
        if same_text(&subnet, &planned_subnet) || subnet.is_null() && planned_subnet.is_null() {
            kept.take(
                managed,
                &[
                    Kind::AwsInternetGateway,
                    Kind::AwsSubnet,
                    Kind::AwsRouteTable,
                ],
            );
            kept.copy(&[PUBLIC_SUBNET_ID]);
        }
    }
    let given = prior.vpc.is_null() && same_text(&prior.vpc_id, &planned.vpc_id);
    let off_transit = prior.transit_gateway_id.is_null() && planned.transit_gateway_id.is_null();
    let gateway = &planned.vpn_gateway_id;
    let stays = gateway.is_unknown() || same_text(&prior.vpn_gateway_id, gateway);
    let same_asn = prior.aws_asn.is_set() && prior.aws_asn == planned.aws_asn;
    let managed_gateway = managed.ids(Kind::AwsVpnGateway).next().is_some();
    if (created || given) && off_transit && stays && same_asn && managed_gateway {
        kept.take(managed, &[Kind::AwsVpnGateway]);
        kept.copy(&[path_of(&AttributeId::VpnGateway)]);
    }
}

fn keep_azure(prior: &Model, planned: &Config, kept: &mut Kept) {
    let same_place =
        same_text(&prior.group, &planned.group) && same_text(&prior.location, &planned.location);
    if !same_place || moves_subscription(prior, planned) {
        return;
    }
    let managed = &prior.link.managed;
    if planned.create_group == Attr::Known(true) {
        kept.take(managed, &[Kind::AzureResourceGroup]);
    }
    let (Attr::Known(network), Attr::Known(planned_network)) = (&prior.network, &planned.network)
    else {
        return;
    };
    let same_network = same_text(&network.name, &planned_network.name)
        && includes_ranges(&planned_network.address_space, &network.address_space)
        && includes_subnets(&planned_network.subnets, &network.subnets);
    let id = prior.network_id.known();
    let Some(id) = id.filter(|id| same_network && managed.has(Kind::AzureVirtualNetwork, id))
    else {
        return;
    };
    kept.take(managed, &[Kind::AzureVirtualNetwork]);
    kept.copy(&[path_of(&AttributeId::NetworkId)]);
    if network.subnets == planned_network.subnets {
        kept.copy(&[SUBNET_IDS]);
    }
    let (prefix, planned_prefix) = (
        &network.gateway_subnet_prefix,
        &planned_network.gateway_subnet_prefix,
    );
    if !same_text(prefix, planned_prefix) {
        kept.deleted_subnet = ResourceId::parse(id)
            .ok()
            .map(|id| id.child("subnets", GATEWAY_SUBNET).to_string());
    }
}

/// Objects that are created get the planned names, so those that are kept do as well: a change of a
/// name alone renames nothing.
fn rename(planned: &Config, kept: &mut Kept) {
    let names = [
        (Kind::AwsVpc, "vpc"),
        (Kind::AwsInternetGateway, "internet_gateway"),
        (Kind::AwsSubnet, "public_subnet"),
        (Kind::AwsRouteTable, "public_route_table"),
        (Kind::AwsVpnGateway, "vpn_gateway"),
    ];
    for (kind, attribute) in names {
        let name = planned.aws_names.get(attribute).and_then(Attr::known);
        let ids = kept.objects.get(kind.as_str()).into_iter().flatten();
        let renamed: Vec<_> = name
            .map(|name| ids.map(|id| (id.clone(), name.clone())).collect())
            .unwrap_or_default();
        kept.names.extend(renamed);
    }
}

/// Whether a setting is known, set and the same before and after.
fn same_text<T: AsRef<str>>(before: &Attr<T>, planned: &Attr<T>) -> bool {
    let texts = before.known().zip(planned.known());
    texts.is_some_and(|(before, planned)| is_same_text(before.as_ref(), planned.as_ref()))
}

/// Whether every former range is planned. A create leaves further ranges of an existing network
/// unchanged, so a range that is no longer configured would stay.
fn includes_ranges(planned: &Attr<Vec<Attr<String>>>, before: &Attr<Vec<Attr<String>>>) -> bool {
    let all_known = match planned {
        Attr::Unknown => false,
        Attr::Null => true,
        Attr::Known(ranges) => !ranges.contains(&Attr::Unknown),
    };
    let planned = planned.known().map_or(&[][..], Vec::as_slice);
    let mut before = before.known().into_iter().flatten();
    all_known && before.all(|range| planned.contains(range))
}

/// The same of subnets. Without subnets before, those that are planned have to be known.
fn includes_subnets(
    planned: &Attr<BTreeMap<String, Attr<String>>>,
    before: &Attr<BTreeMap<String, Attr<String>>>,
) -> bool {
    match (before, planned) {
        (Attr::Known(before), planned) => before.iter().all(|(name, prefix)| {
            planned.known().and_then(|planned| planned.get(name)) == Some(prefix)
        }),
        (_, Attr::Null) => true,
        (_, Attr::Unknown) => false,
        (_, Attr::Known(planned)) => !planned.values().any(Attr::is_unknown),
    }
}

/// Whether the new link names another subscription.
fn moves_subscription(prior: &Config, planned: &Config) -> bool {
    let of = |config: &Config| {
        let id = ResourceId::parse(config.network_id.known()?).ok()?;
        Some(id.subscription().to_lowercase())
    };
    of(prior)
        .zip(of(planned))
        .is_some_and(|(before, planned)| before != planned)
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

    /// Copies computed attributes of the old link.
    fn copy(&mut self, paths: &[&str]) {
        self.paths
            .extend(paths.iter().map(|path| (*path).to_owned()));
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
        let paths = self.paths.iter().map(Place::path);
        paths.map(move |path| (path.clone(), attributes.at(&path).clone()))
    }

    /// The state of a create that failed before it read or wrote anything: what is kept is still
    /// there, and is this link's.
    pub fn incomplete_state(&self, planned: &Model) -> (Value, Option<Value>) {
        let mut state = planned.value().clone();
        self.values()
            .for_each(|(path, value)| state.set_at(&path, value));
        state.set("managed", managed_value(&self.managed()));
        LinkStatus::Incomplete.store(&mut state, Vec::new());
        let settings = read_config(&state);
        let gateway = settings.gateway_id.known().cloned();
        let first = inside_cidrs(&settings).map(|cidrs| cidrs.get(TunnelKey::ALL[0]).to_string());
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
    planned: &Model,
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
