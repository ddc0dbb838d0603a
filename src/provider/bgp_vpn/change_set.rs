//! What a plan changes, and what that means for the objects of the link.

use super::private_state::PrivateState;
use super::replacing_attributes::is_same_setting;
use crate::link::managed::Kind;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::plugin::{AttributePath, Diagnostic, Diagnostics, Value};

/// Changes for which the Azure gateway, and with it the whole link, must be new.
pub(super) const REPLACING: [&str; 6] = [
    "azure.resource_group_name",
    "azure.location",
    "azure.virtual_network_id",
    "azure.virtual_network.gateway_subnet_prefix",
    "azure.generation",
    "azure.gateway_id",
];
/// Changes for which the whole AWS half must be new.
pub(super) const REPLACING_AWS_SIDE: [&str; 5] =
    ["aws.region", "aws.vpc_id", "aws.vpn_gateway_id", "aws.transit_gateway_id", "aws.asn"];
/// Settings that no cloud ever hears of.
const LOCAL_ONLY: [&str; 6] = [
    "timeouts",
    "wait_for_bgp",
    "on_create_failure",
    "rotate_keys",
    "allow_overlapping_prefixes",
    "azure.create_resource_group",
];
/// Changes that may add to, or take from, what destroy deletes.
const AFFECTING_MANAGED: [&str; 8] = [
    "manage_gateways",
    "aws.route_table_ids",
    "aws.vpn_gateway_id",
    "aws.transit_gateway_id",
    "aws.vpc_id",
    "azure.gateway_subnet_prefix",
    "azure.virtual_network",
    "aws.vpc",
];

/// A state and what is planned of it.
#[derive(Clone, Copy)]
pub struct ChangeSet<'a> {
    pub prior: &'a Value,
    pub planned: &'a Value,
}

impl ChangeSet<'_> {
    /// Whether a place changes; something unknown may change.
    pub fn changed(self, path: &str) -> bool {
        let path = AttributePath::from(path);
        self.prior.at(&path) != self.planned.at(&path)
    }

    fn any_changed(self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.changed(path))
    }

    /// Whether a place changes that had a value before.
    fn replaces_something(self, path: &str) -> bool {
        self.prior.at(&path.into()).is_set() && self.changed(path)
    }

    /// Whether a place changes that had a value before, or that an imported link left open and that gets one.
    fn alters(self, path: &str) -> bool {
        let opened = matches!(path, "ipsec_policy" | "aws.logs") && self.planned.at(&path.into()).is_set();
        self.replaces_something(path) || opened && self.changed(path)
    }

    /// What the repair of that which differs in the clouds interrupts.
    fn repair_warning(self, private: &PrivateState) -> Diagnostics {
        if private.interrupts.is_empty() || self.aws_side_replaced() {
            return Diagnostics::new();
        }
        let detail = format!(
            "This apply repairs what differs in the clouds. It interrupts, one after the other, each while the others are up: {}.",
            private.interrupts.join("; ")
        );
        Diagnostic::warning("Repairs interrupt tunnels").detail(detail).at("tunnels").into()
    }

    /// Places whose change takes a new link. What is not known yet counts as unchanged: Terraform plans again when it is known.
    pub fn requires_replace(self) -> Vec<AttributePath> {
        let gateway_there = self.prior.at(&"azure.gateway_id".into()).is_set();
        let counts = |path: &str| path != "azure.generation" || gateway_there;
        let replaced = |path: &&str| counts(path) && self.differs_when_known(path) || self.renames_network(path);
        REPLACING.into_iter().filter(replaced).map(AttributePath::from).collect()
    }

    /// Whether the link is to create a virtual network of another name, whose id only the apply tells.
    fn renames_network(self, path: &str) -> bool {
        let network = self.prior.at(&"azure.virtual_network_id".into()).as_str();
        let before = network.and_then(|id| id.trim_end_matches('/').rsplit('/').next());
        let now = self.planned.at(&"azure.virtual_network.name".into()).as_str();
        path == "azure.virtual_network_id" && before.zip(now).is_some_and(|(a, b)| !a.eq_ignore_ascii_case(b))
    }

    /// A place whose change takes a new link, as far as it is known by now: what is unknown contradicts nothing.
    pub fn forces_new(self) -> Option<&'static str> {
        REPLACING.into_iter().find(|path| self.differs_when_known(path))
    }

    /// Whether the AWS half has to be made anew, as far as that is known by now.
    pub fn aws_side_replaced_known(self) -> bool {
        let paths = REPLACING_AWS_SIDE.into_iter().chain(["aws.vpc.cidr_block"]);
        paths.filter(|path| self.rebuilds_aws(path)).any(|path| self.differs_when_known(path))
            || self.creates_vpc_instead()
    }

    fn differs_when_known(self, path: &str) -> bool {
        let (before, now) = (self.prior.at(&path.into()), self.planned.at(&path.into()));
        before.is_set() && now.is_set() && !is_same_setting(before, now)
    }

    /// Whether the whole AWS half is built anew.
    pub fn aws_side_replaced(self) -> bool {
        REPLACING_AWS_SIDE.into_iter().filter(|path| self.rebuilds_aws(path)).any(|path| self.replaces_something(path))
    }

    /// Whether the VPC that the link created goes, or is replaced, while the link stays on its transit gateway.
    pub fn drops_vpc(self) -> bool {
        self.stays_on_transit_gateway() && self.replaces_something("aws.vpc_id")
    }

    /// Whether a VPC is to be created in place of one that was named by id. Its own id is not known yet.
    fn creates_vpc_instead(self) -> bool {
        let set = |value: &Value, path: &str| value.at(&path.into()).is_set();
        let named = set(self.prior, "aws.vpc_id") && !set(self.prior, "aws.vpc");
        named && set(self.planned, "aws.vpc") && !set(self.planned, "aws.vpc_id")
    }

    /// A VPC beside a transit gateway is not attached to the link.
    fn rebuilds_aws(self, path: &str) -> bool {
        !(path.starts_with("aws.vpc") && self.stays_on_transit_gateway())
    }

    fn stays_on_transit_gateway(self) -> bool {
        let is_set = self.prior.at(&"aws.transit_gateway_id".into()).is_set();
        is_set && !self.any_changed(&["aws.transit_gateway_id", "aws.region"])
    }

    /// Whether customer gateways, and with them VPN connections, are made anew.
    pub fn customer_gateways_replaced(self) -> bool {
        self.aws_side_replaced() || self.replaces_something("azure.asn")
    }

    /// Whether what destroy deletes may become another set.
    pub fn affects_managed(self) -> bool {
        self.any_changed(&AFFECTING_MANAGED)
    }

    /// Whether all keys are to be rolled. What is not known by now may ask for that.
    pub fn rotates_keys(self, private: &PrivateState) -> bool {
        let (before, now) = (self.prior.get("rotate_keys"), self.planned.get("rotate_keys"));
        before != now && !now.is_null() && !(private.imported && before.is_null())
    }

    /// Whether keys of the user's own take the place of those in use.
    pub fn applies_configured_keys(self) -> bool {
        self.changed("preshared_keys_wo_version") && !self.planned.get("preshared_keys_wo_version").is_null()
    }

    /// Whether nothing changes that a cloud would have to hear of.
    pub fn is_local(self, private: &PrivateState) -> bool {
        if self.rotates_keys(private) || self.applies_configured_keys() {
            return false;
        }
        let strip = |value: &Value| {
            let mut value = value.clone();
            for path in LOCAL_ONLY {
                value.set_at(&path.into(), Value::Null);
            }
            value
        };
        strip(self.prior) == strip(self.planned)
    }

    /// Whether an Azure gateway that the link does not manage is missing. Only its owner can create it again.
    fn lacks_existing_gateway(self, private: &PrivateState) -> bool {
        private.provenance.azure_gateway_is_existing && !self.prior.at(&"azure.gateway_id".into()).is_set()
    }

    /// Whether the surroundings have to be looked at again.
    pub fn needs_preflight(self, private: &PrivateState) -> bool {
        self.aws_side_replaced()
            || self.lacks_existing_gateway(private)
            || self.any_changed(&[
                "azure.gateway_subnet_prefix",
                "azure.virtual_network",
                "aws.vpc",
                "aws.route_table_ids",
                "aws.transit_gateway_id",
                "manage_gateways",
            ])
            || self.any_changed(&["slot", "inside_cidrs", "allow_overlapping_prefixes"])
    }

    /// What will interrupt traffic or take long.
    pub fn warnings(self, private: &PrivateState) -> Diagnostics {
        let origin = &private.provenance;
        let warning = |summary: &str, detail: &str, path: &str| Diagnostic::warning(summary).detail(detail).at(path);
        let mut diagnostics = Diagnostics::new();
        if let Some(path) = self.requires_replace().into_iter().next() {
            let detail = format!(
                "A change of {path} takes another Azure gateway: the link is down from the start of the apply until the new one is built, \
                 which takes half an hour to an hour. All addresses of the tunnels change."
            );
            diagnostics.push(Diagnostic::warning("The link will be built anew").detail(detail).at(path));
            return diagnostics;
        }
        if !self.prior.at(&"azure.gateway_id".into()).is_set() && !self.lacks_existing_gateway(private) {
            let detail = "The Azure gateway is gone and will be created again, which takes half an hour to an hour.";
            diagnostics.push(warning("The Azure gateway will be created again", detail, "azure.gateway_id"));
        }
        if self.aws_side_replaced() {
            let paths = ["aws.region", "aws.vpc_id", "aws.asn", "aws.vpn_gateway_id"];
            let path = paths.into_iter().find(|p| self.replaces_something(p));
            let detail = "VPN connections, customer gateways and, unless it is named by id, the VPN gateway are deleted and made anew: \
                          the link is down for some minutes, and the AWS addresses of all tunnels change.";
            diagnostics.push(warning(
                "The AWS half of the link will be built anew",
                detail,
                path.unwrap_or("aws.transit_gateway_id"),
            ));
        } else if self.replaces_something("azure.asn") {
            let detail = "The ASN of the Azure gateway changes in place; the customer gateways and VPN connections that name it are made \
                          anew. All tunnels are down for some minutes, and their AWS addresses change.";
            diagnostics.push(warning("All tunnels will be interrupted", detail, "azure.asn"));
        }
        if self.replaces_something("azure.sku") && !origin.azure_gateway_is_existing {
            let detail = "A change of the SKU may take up to 45 minutes and interrupts traffic for moments.";
            diagnostics.push(warning("The Azure gateway will change its size", detail, "azure.sku"));
        }
        if self.replaces_something("aws.enable_acceleration") && !self.customer_gateways_replaced() {
            let detail = "The VPN connections are made anew, one after the other, and the AWS addresses of all tunnels change. Traffic goes over \
                          the tunnels of the other one meanwhile.";
            diagnostics.push(warning("The tunnels will be interrupted", detail, "aws.enable_acceleration"));
        }
        if self.replaces_something("aws.tunnel_bandwidth") && !self.aws_side_replaced() {
            let detail = "Both tunnels of a VPN connection are down for some minutes while their bandwidth changes, of one connection after \
                          the other. Traffic goes over the tunnels of the other one meanwhile.";
            diagnostics.push(warning("The tunnels will be interrupted", detail, "aws.tunnel_bandwidth"));
        }
        diagnostics.append(self.repair_warning(private));
        let gentle = [
            "inside_cidrs",
            "ipsec_policy",
            "azure.connection_mode",
            "azure.dpd_timeout_seconds",
            "aws.startup_action",
            "aws.dpd_timeout_action",
            "aws.dpd_timeout_seconds",
            "aws.preshared_key_storage",
            "aws.logs",
        ];
        if let Some(path) = gentle.into_iter().find(|path| self.alters(path) && !self.aws_side_replaced()) {
            let detail = "AWS takes a tunnel down while its options change, some minutes each; a change of policy or addresses takes both ends. \
                          Traffic goes over the other tunnels meanwhile.";
            diagnostics.push(warning("The tunnels will be interrupted", detail, path));
        }
        let keys = "The shared keys are changed one tunnel at a time, each for some minutes. A tunnel that is up is interrupted only while all \
                    others are up; where one does not come back, the roll stops.";
        if self.rotates_keys(private) {
            diagnostics.push(warning("All four shared keys will be rolled", keys, "rotate_keys"));
        } else if self.applies_configured_keys() {
            diagnostics.push(warning("Your own shared keys will be set", keys, "preshared_keys_wo_version"));
        }
        let claims = !origin.azure_gateway_is_existing && self.replaces_something("manage_gateways");
        if claims && self.planned.get("manage_gateways").as_bool() == Some(true) {
            let id = |path: &str| self.planned.at(&path.into()).as_str().unwrap_or("none yet").to_owned();
            let vpn_gateway = match self.planned.at(&"aws.transit_gateway_id".into()).is_null() {
                true => format!(", and the virtual private gateway ({})", id("aws.vpn_gateway_id")),
                false => String::new(),
            };
            let detail = format!(
                "From this apply on, destroy deletes the Azure gateway ({}) with its public IPs{vpn_gateway}.",
                id("azure.gateway_id"),
            );
            diagnostics.push(warning("The gateways become this link's own", &detail, "manage_gateways"));
        }
        diagnostics
    }

    /// Fields of a tunnel that become unknown, beside those that are null. `stale`: nothing was read since a run that broke off.
    pub fn unknown_fields(self, key: TunnelKey, private: &PrivateState, stale: bool) -> Vec<&'static str> {
        let aws = ["aws_outside_ip", "aws_vpn_connection_id", "aws_customer_gateway_id"];
        let before = self.prior.get("tunnels").get(&key.to_string());
        let lost = before.get("aws_customer_gateway_id").is_null() || before.get("azure_public_ip").is_null();
        // What was read may differ from what its neighbours need, without any setting that differs: a change that broke off.
        let anew = stale || private.will_recreate(key.instance, Kind::AwsCustomerGateway);
        if self.customer_gateways_replaced() || lost || anew {
            return aws.to_vec();
        }
        let lost = before.get("aws_vpn_connection_id").is_null();
        let anew = private.will_recreate(key.instance, Kind::AwsVpnConnection);
        if lost || anew || self.changed("aws.enable_acceleration") {
            vec!["aws_outside_ip", "aws_vpn_connection_id"]
        } else {
            Vec::new()
        }
    }
}

/// The instances, as keys of `azure.public_ip_addresses`.
pub fn instance_keys() -> [String; 2] {
    Instance::ALL.map(|instance| instance.to_string())
}
