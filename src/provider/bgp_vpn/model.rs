//! A configuration, a planned state or a state, with types. What a user can set is the domain's
//! `Config`, read by the paths of the attribute table; what only the provider sets is read by the
//! paths in this file.

use super::attribute_paths::value_path;
use super::link_status::LinkStatus;
use super::planned::Place;
use crate::azure::id::ResourceId;
use bgp_vpn::config::{Attr, AttributeId, AttributeSource, Config};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::tunnel::{Instance, PerInstance, PerTunnel};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use terraform_plugin::{Number, Value};

/// Paths of computed attributes.
pub const MAIN_ROUTE_TABLE_ID: &str = "aws.main_route_table_id";
pub const PUBLIC_SUBNET_ID: &str = "aws.public_subnet_id";
/// Of a tunnel.
pub const TRANSIT_ATTACHMENT_ID: &str = "aws_transit_gateway_attachment_id";
pub const SUBNET_IDS: &str = "azure.subnet_ids";
pub const PUBLIC_IP_ADDRESSES: &str = "azure.public_ip_addresses";

/// A configuration, a plan or a state. The settings are its own fields; what only the provider sets
/// is grouped by link, cloud and tunnel.
///
/// Each value of a request is read once, and the model is passed on. It keeps the value, from which
/// attributes are copied and compared by the attribute table.
#[derive(Clone)]
pub struct Model {
    value: Value,
    settings: Config,
    pub link: LinkOutputs,
    pub azure: AzureOutputs,
    pub aws: AwsOutputs,
    pub tunnels: PerTunnel<TunnelOutputs>,
}

#[derive(Clone)]
pub struct LinkOutputs {
    pub id: Attr<String>,
    pub status: LinkStatus,
    /// What destroy deletes; empty while that is unknown.
    pub managed: Managed,
    pub managed_is_known: bool,
    pub drift: Vec<String>,
}

#[derive(Clone)]
pub struct AzureOutputs {
    pub public_ip_addresses: PerInstance<Attr<String>>,
    /// By name of the subnet.
    pub subnet_ids: Attr<BTreeMap<String, Attr<String>>>,
}

#[derive(Clone)]
pub struct AwsOutputs {
    pub public_subnet_id: Attr<String>,
}

#[derive(Clone)]
pub struct TunnelOutputs {
    pub aws_outside_ip: Attr<String>,
    pub azure_public_ip: Attr<String>,
    pub aws_vpn_connection_id: Attr<String>,
    pub aws_transit_gateway_attachment_id: Attr<String>,
    pub aws_customer_gateway_id: Attr<String>,
    pub azure_local_network_gateway_id: Attr<String>,
    pub azure_connection_id: Attr<String>,
}

impl Model {
    /// Reads every attribute.
    pub fn read(value: &Value) -> Self {
        let addresses = value.at(&PUBLIC_IP_ADDRESSES.into());
        let tunnels = value.get("tunnels");
        Model {
            value: value.clone(),
            settings: read_config(value),
            link: LinkOutputs {
                id: text(value.get("id")),
                status: LinkStatus::of(value),
                managed: read_managed(value),
                managed_is_known: value.get("managed").is_known(),
                drift: value
                    .get("drift")
                    .as_list()
                    .into_iter()
                    .flatten()
                    .filter_map(|text| text.as_str().map(str::to_owned))
                    .collect(),
            },
            azure: AzureOutputs {
                public_ip_addresses: PerInstance::from_fn(|instance| {
                    text(addresses.get(&instance.to_string()))
                }),
                subnet_ids: text_map(value.at(&SUBNET_IDS.into())),
            },
            aws: AwsOutputs {
                public_subnet_id: text(value.at(&PUBLIC_SUBNET_ID.into())),
            },
            tunnels: PerTunnel::from_fn(|key| TunnelOutputs::read(tunnels.get(&key.to_string()))),
        }
    }

    /// The value that was read.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The attribute at a place, to copy or compare it.
    pub fn at(&self, place: &(impl Place + ?Sized)) -> &Value {
        self.value.at(&place.path())
    }

    /// Whether the objects `azure` and `aws` are known. An unknown one hides all that is configured
    /// in it.
    pub fn has_known_sides(&self) -> bool {
        self.has_known_azure_side() && self.value.get("aws").is_known()
    }

    /// Whether the object `azure` is known.
    pub fn has_known_azure_side(&self) -> bool {
        self.value.get("azure").is_known()
    }

    /// Whether the create of the link did not finish.
    pub fn is_incomplete(&self) -> bool {
        self.link.status == LinkStatus::Incomplete
    }

    /// Whether a run on the link did not finish, and the link was not read since.
    pub fn is_interrupted(&self) -> bool {
        self.link.status == LinkStatus::Interrupted
    }

    /// Whether the Azure gateway exists with both public IPs. Addresses without it are recreated
    /// where that is necessary.
    pub fn has_public_ips(&self) -> bool {
        let addresses = &self.azure.public_ip_addresses;
        self.gateway_id.is_set() && addresses.iter().all(|(_, address)| address.is_set())
    }

    /// An output of the tunnels of an instance that all of them have in common.
    pub fn of_instance(
        &self,
        instance: Instance,
        read: impl Fn(&TunnelOutputs) -> &Attr<String>,
    ) -> Option<&String> {
        let tunnels = instance.tunnels().map(|key| self.tunnels.get(key));
        tunnels.into_iter().find_map(|tunnel| read(tunnel).known())
    }
}

impl LinkOutputs {
    /// The Azure gateway that `id` contains.
    pub fn gateway_in_id(&self) -> Option<ResourceId> {
        ResourceId::parse(self.id.known()?.rsplit_once(',')?.0).ok()
    }

    /// The inside CIDR that `id` contains.
    pub fn cidr_in_id(&self) -> Option<InsideCidr> {
        InsideCidr::parse(self.id.known()?.rsplit_once(',')?.1).ok()
    }
}

impl Deref for Model {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.settings
    }
}

impl TunnelOutputs {
    fn read(tunnel: &Value) -> Self {
        let output = |name: &str| text(tunnel.get(name));
        TunnelOutputs {
            aws_outside_ip: output("aws_outside_ip"),
            azure_public_ip: output("azure_public_ip"),
            aws_vpn_connection_id: output("aws_vpn_connection_id"),
            aws_transit_gateway_attachment_id: output(TRANSIT_ATTACHMENT_ID),
            aws_customer_gateway_id: output("aws_customer_gateway_id"),
            azure_local_network_gateway_id: output("azure_local_network_gateway_id"),
            azure_connection_id: output("azure_connection_id"),
        }
    }
}

/// Reads every setting.
pub fn read_config(value: &Value) -> Config {
    Config::read(&Attributes(value))
}

/// An attribute as a value of Terraform.
pub fn to_value<T: Into<Value>>(attribute: Attr<T>) -> Value {
    match attribute {
        Attr::Null => Value::Null,
        Attr::Unknown => Value::unknown(),
        Attr::Known(value) => value.into(),
    }
}

/// The attributes of a value.
pub struct Attributes<'a>(pub &'a Value);

impl Attributes<'_> {
    fn at(&self, attribute: &AttributeId) -> &Value {
        self.0.at(&value_path(attribute))
    }
}

impl AttributeSource for Attributes<'_> {
    fn parse<T>(&self, attribute: &AttributeId, parse: impl FnOnce(&str) -> T) -> Attr<T> {
        attr(self.at(attribute), |value| value.as_str().map(parse))
    }

    fn number(&self, attribute: &AttributeId) -> Attr<i64> {
        let value = self.at(attribute);
        match value.as_number().map(Number::as_i64) {
            Some(None) => Attr::Unknown,
            _ => attr(value, Value::as_i64),
        }
    }

    fn flag(&self, attribute: &AttributeId) -> Attr<bool> {
        attr(self.at(attribute), Value::as_bool)
    }

    fn texts(&self, attribute: &AttributeId) -> Attr<Vec<Attr<String>>> {
        attr(self.at(attribute), |list| {
            Some(list.as_list()?.iter().map(text).collect())
        })
    }

    fn text_map(&self, attribute: &AttributeId) -> Attr<BTreeMap<String, Attr<String>>> {
        text_map(self.at(attribute))
    }

    fn object(&self, attribute: &AttributeId) -> Attr<()> {
        attr(self.at(attribute), |_| Some(()))
    }

    fn non_integer(&self, attribute: &AttributeId) -> Option<String> {
        let number = self.at(attribute).as_number()?;
        number.as_i64().is_none().then(|| number.to_string())
    }
}

fn attr<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Attr<T> {
    if !value.is_known() {
        return Attr::Unknown;
    }
    if value.is_null() {
        return Attr::Null;
    }
    read(value).map_or(Attr::Null, Attr::Known)
}

fn text(value: &Value) -> Attr<String> {
    attr(value, |v| v.as_str().map(str::to_owned))
}

fn text_map(value: &Value) -> Attr<BTreeMap<String, Attr<String>>> {
    let entries = |map: &Value| {
        let entries = map.as_map()?.iter();
        Some(
            entries
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        )
    };
    attr(value, entries)
}

/// `managed` of a state.
pub(super) fn read_managed(state: &Value) -> Managed {
    let mut managed = Managed::default();
    for kind in Kind::ALL {
        let ids = state
            .get("managed")
            .get(kind.as_str())
            .as_list()
            .into_iter()
            .flatten();
        let ids: BTreeSet<String> = ids.filter_map(Value::as_str).map(str::to_owned).collect();
        if !ids.is_empty() {
            managed.0.insert(kind, ids);
        }
    }
    managed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::provider::bgp_vpn::attributes::row;
    use bgp_vpn::tunnel::TunnelKey;
    use terraform_plugin::AttributePath;

    /// A state with one value at a path.
    fn with(path: &str, value: impl Into<Value>) -> Model {
        let mut state = Value::Null;
        state.set_at(&AttributePath::from(path), value);
        Model::read(&state)
    }

    #[test]
    fn attributes_of_unknown_object_are_unknown() {
        let model = with("aws.vpc", Value::unknown());
        assert_eq!(model.public_subnet(), Attr::Unknown);
        assert!(model.vpc.is_unknown() && model.vpc_id.is_null());
        let model = with("aws", Value::unknown());
        assert!(model.region.is_unknown() && model.aws.public_subnet_id.is_unknown());
    }

    #[test]
    fn policy_without_fields_is_unmanaged() {
        assert!(with("ipsec_policy", Value::Null).policy.is_null());
        let model = with("ipsec_policy.preset", Value::Null);
        assert!(model.policy.known().unwrap().is_unmanaged());
        let model = with("ipsec_policy.dh_group", 20_u8);
        assert!(!model.policy.known().unwrap().has_no_parameters());
    }

    #[test]
    fn outputs_are_read_by_tunnel_and_instance() {
        let [key, ..] = TunnelKey::ALL;
        let model = with(&format!("tunnels.{key}.aws_vpn_connection_id"), "vpn-1");
        let of_instance = |instance| model.of_instance(instance, |one| &one.aws_vpn_connection_id);
        assert_eq!(of_instance(Instance::Zero).unwrap(), "vpn-1");
        assert_eq!(of_instance(Instance::One), None);
        let model = with("managed.aws_vpc", Value::set_of(["vpc-1"]));
        assert!(model.link.managed.has(Kind::AwsVpc, "vpc-1"));
        assert!(model.link.managed_is_known && model.link.id.is_null());
    }

    #[test]
    fn paths_of_outputs_have_rows() {
        let paths = [
            MAIN_ROUTE_TABLE_ID,
            PUBLIC_SUBNET_ID,
            SUBNET_IDS,
            PUBLIC_IP_ADDRESSES,
        ];
        for path in paths {
            assert!(row(path).is_some(), "{path}");
        }
    }
}
