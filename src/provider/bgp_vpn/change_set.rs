//! What a plan changes, and what that means for the objects of the link.

use super::attribute_paths::value_path;
use super::attributes::{self, Effect, Shape, path_of, paths, paths_with};
use super::model::{Model, TRANSIT_ATTACHMENT_ID};
use super::planned::Place;
use super::private_state::PrivateState;
use super::replacing_attributes::is_same_setting;
use crate::provider::summaries;
use bgp_vpn::config::{Attr, AttributeId};
use bgp_vpn::managed::Kind;
use bgp_vpn::tunnel::TunnelKey;
use terraform_plugin::{AttributePath, Diagnostic, Diagnostics, Value};

/// A state and what is planned of it.
#[derive(Clone, Copy)]
pub struct ChangeSet<'a> {
    pub prior: &'a Model,
    pub planned: &'a Model,
}

impl ChangeSet<'_> {
    /// Whether a place changes; something unknown may change.
    pub fn changed(self, place: &(impl Place + ?Sized)) -> bool {
        self.prior.at(place) != self.planned.at(place)
    }

    /// Whether one of these attributes changes.
    pub fn any_changed(self, attributes: &[AttributeId]) -> bool {
        attributes.iter().any(|attribute| self.changed(attribute))
    }

    /// The first attribute with this effect that changes and had a value before.
    fn first_replaced(self, effect: Effect) -> Option<&'static str> {
        paths_with(effect).find(|path| self.replaces_something(path))
    }

    /// Whether a place changes that had a value before.
    fn replaces_something(self, place: &(impl Place + ?Sized)) -> bool {
        self.prior.at(place).is_set() && self.changed(place)
    }

    /// Whether a place changes that had a value before, or that an imported link left open and that
    /// gets one.
    fn alters(self, path: &str) -> bool {
        let is_object = attributes::row(path).is_some_and(|row| row.shape == Shape::Object);
        let opened = is_object && self.planned.at(path).is_set();
        self.replaces_something(path) || opened && self.changed(path)
    }

    /// What the repair of that which differs in the clouds interrupts.
    fn repair_warning(self, private: &PrivateState) -> Diagnostics {
        if private.interrupts.is_empty() || self.aws_side_replaced() {
            return Diagnostics::new();
        }
        let detail = format!(
            "This apply repairs differences in the clouds. It interrupts these tunnels, one at a time, each while the others are up: {}.",
            private.interrupts.join("; ")
        );
        Diagnostic::warning(summaries::REPAIRS_INTERRUPT)
            .detail(detail)
            .at("tunnels")
            .into()
    }

    /// Places whose change takes a new link. What is not known yet counts as unchanged: Terraform
    /// plans again when it is known.
    pub fn requires_replace(self, private: &PrivateState) -> Vec<AttributePath> {
        let gateway_there = self.prior.gateway_id.is_set();
        let counts = |path: &str| path != path_of(&AttributeId::Generation) || gateway_there;
        let replaced = |path: &&str| {
            counts(path) && self.differs_when_known(path)
                || self.renames_network(path)
                || *path == path_of(&AttributeId::AzureGateway)
                    && self.leaves_missing_gateway(private)
        };
        paths_with(Effect::ReplacesLink)
            .filter(replaced)
            .map(AttributePath::from)
            .collect()
    }

    /// Whether the configuration names another Azure gateway than the one that the link had and that
    /// is missing: its owner deleted it, or an earlier replacement failed after it had done so.
    fn leaves_missing_gateway(self, private: &PrivateState) -> bool {
        let gateway = AttributeId::AzureGateway;
        let created = private.applied.at(&gateway.path());
        let now = self.planned.at(&gateway);
        self.prior.gateway_id.is_null()
            && created.is_set()
            && now.is_set()
            && !is_same_setting(created, now)
    }

    /// Whether the link is to create a virtual network of another name. Its id is known after the
    /// apply only.
    fn renames_network(self, path: &str) -> bool {
        let network = self.prior.network_id.known();
        let before = network.and_then(|id| id.trim_end_matches('/').rsplit('/').next());
        let name = self.planned.network_name();
        path == path_of(&AttributeId::NetworkId)
            && before
                .zip(name.known())
                .is_some_and(|(before, name)| !before.eq_ignore_ascii_case(name))
    }

    /// A place whose change takes a new link, as far as it is known by now: what is unknown
    /// contradicts nothing.
    pub fn forces_new(self) -> Option<&'static str> {
        paths_with(Effect::ReplacesLink).find(|path| self.differs_when_known(path))
    }

    /// Whether the AWS half has to be recreated, as far as that is known by now.
    pub fn aws_side_replaced_known(self) -> bool {
        let paths = paths_with(Effect::RecreatesAwsSide).chain(paths_with(Effect::RecreatesVpc));
        paths
            .filter(|path| self.rebuilds_aws(path))
            .any(|path| self.differs_when_known(path))
            || self.creates_vpc_instead()
    }

    fn differs_when_known(self, path: &str) -> bool {
        let (before, now) = (self.prior.at(path), self.planned.at(path));
        before.is_set() && now.is_set() && !is_same_setting(before, now)
    }

    /// Whether the complete AWS half is recreated.
    pub fn aws_side_replaced(self) -> bool {
        paths_with(Effect::RecreatesAwsSide)
            .filter(|path| self.rebuilds_aws(path))
            .any(|path| self.replaces_something(path))
    }

    /// Whether the VPC that the link created goes, or is replaced, while the link stays on its
    /// transit gateway.
    pub fn drops_vpc(self) -> bool {
        self.stays_on_transit_gateway() && self.replaces_something(&AttributeId::VpcId)
    }

    /// Whether a VPC is to be created in place of one that was named by id. Its own id is not known
    /// yet.
    fn creates_vpc_instead(self) -> bool {
        let (prior, planned) = (self.prior, self.planned);
        let named = prior.vpc_id.is_set() && !prior.vpc.is_set();
        named && planned.vpc.is_set() && !planned.vpc_id.is_set()
    }

    /// A VPC next to a transit gateway is not attached to the link.
    fn rebuilds_aws(self, path: &str) -> bool {
        !(path.starts_with(path_of(&AttributeId::Vpc)) && self.stays_on_transit_gateway())
    }

    fn stays_on_transit_gateway(self) -> bool {
        let is_set = self.prior.transit_gateway_id.is_set();
        is_set && !self.any_changed(&[AttributeId::TransitGateway, AttributeId::Region])
    }

    /// Whether customer gateways, and with them VPN connections, are recreated.
    pub fn customer_gateways_replaced(self) -> bool {
        self.aws_side_replaced()
            || self
                .first_replaced(Effect::RecreatesCustomerGateways)
                .is_some()
    }

    /// Whether what destroy deletes may become another set.
    pub fn affects_managed(self) -> bool {
        paths(|row| row.affects_managed).any(|path| self.changed(path))
    }

    /// Whether all keys are to be rolled. What is not known by now may ask for that.
    pub fn rotates_keys(self, private: &PrivateState) -> bool {
        let (before, planned) = (&self.prior.rotate_keys, &self.planned.rotate_keys);
        before != planned && !planned.is_null() && !(private.imported && before.is_null())
    }

    /// Whether keys of the user's own take the place of those in use.
    pub fn applies_configured_keys(self) -> bool {
        self.changed(&AttributeId::PresharedKeysVersion)
            && !self.planned.preshared_keys_version.is_null()
    }

    /// Whether nothing changes that a cloud would have to hear of.
    pub fn is_local(self, private: &PrivateState) -> bool {
        if self.rotates_keys(private) || self.applies_configured_keys() {
            return false;
        }
        let strip = |model: &Model| {
            let mut value = model.value().clone();
            for path in paths(|row| matches!(row.effect, Effect::LocalOnly | Effect::RotatesKeys)) {
                value.set_at(&path.into(), Value::Null);
            }
            value
        };
        strip(self.prior) == strip(self.planned)
    }

    /// Whether an Azure gateway that the link does not manage is missing. Only its owner can create
    /// it again.
    fn lacks_existing_gateway(self, private: &PrivateState) -> bool {
        private.provenance.azure_gateway_is_existing && !self.prior.gateway_id.is_set()
    }

    /// Whether the surroundings have to be looked at again.
    pub fn needs_preflight(self, private: &PrivateState) -> bool {
        self.aws_side_replaced()
            || self.lacks_existing_gateway(private)
            || paths(|row| row.needs_preflight).any(|path| self.changed(path))
    }

    /// What will interrupt traffic or take long.
    pub fn warnings(self, private: &PrivateState) -> Diagnostics {
        let origin = &private.provenance;
        let warning = |summary: &str, detail: &str, attribute: &AttributeId| {
            Diagnostic::warning(summary)
                .detail(detail)
                .at(value_path(attribute))
        };
        let mut diagnostics = Diagnostics::new();
        if let Some(path) = self.requires_replace(private).into_iter().next() {
            diagnostics.extend(Effect::ReplacesLink.warning(&path.to_string()));
            return diagnostics;
        }
        if !self.prior.gateway_id.is_set() && !self.lacks_existing_gateway(private) {
            let detail = "The Azure gateway does not exist any more. The apply recreates it, which takes 30 to 60 minutes.";
            diagnostics.push(warning(
                summaries::AZURE_GATEWAY_RECREATED,
                detail,
                &AttributeId::AzureGateway,
            ));
        }
        let mut add = |effect: Effect, path: Option<&str>| {
            diagnostics.extend(path.and_then(|path| effect.warning(path)))
        };
        let recreates_aws_side = self.aws_side_replaced();
        if recreates_aws_side {
            let path = self
                .first_replaced(Effect::RecreatesAwsSide)
                .unwrap_or(path_of(&AttributeId::TransitGateway));
            add(Effect::RecreatesAwsSide, Some(path));
        } else {
            let effect = Effect::RecreatesCustomerGateways;
            add(effect, self.first_replaced(effect));
        }
        let effect = Effect::ResizesGateway;
        add(
            effect,
            self.first_replaced(effect)
                .filter(|_| !origin.azure_gateway_is_existing),
        );
        let effect = Effect::RecreatesConnections;
        add(
            effect,
            self.first_replaced(effect)
                .filter(|_| !self.customer_gateways_replaced()),
        );
        let effect = Effect::InterruptsConnections;
        add(
            effect,
            self.first_replaced(effect).filter(|_| !recreates_aws_side),
        );
        let effect = Effect::InterruptsRoutes;
        add(
            effect,
            paths_with(effect)
                .filter(|_| !recreates_aws_side && self.stays_on_transit_gateway())
                .find(|path| self.changed(path) && !self.planned.at(path).is_null()),
        );
        diagnostics.append(self.repair_warning(private));
        let effect = Effect::InterruptsTunnels;
        let interrupts = paths_with(effect).find(|path| self.alters(path) && !recreates_aws_side);
        diagnostics.extend(interrupts.and_then(|path| effect.warning(path)));
        if self.rotates_keys(private) {
            diagnostics.extend(Effect::RotatesKeys.warning(path_of(&AttributeId::RotateKeys)));
        } else if self.applies_configured_keys() {
            diagnostics
                .extend(Effect::AppliesKeys.warning(path_of(&AttributeId::PresharedKeysVersion)));
        }
        let claims = !origin.azure_gateway_is_existing
            && self.replaces_something(&AttributeId::ManageGateways);
        let planned = self.planned;
        if claims && planned.manage_gateways == Attr::Known(true) {
            fn id(attribute: &Attr<String>) -> &str {
                attribute.known().map_or("not created yet", String::as_str)
            }
            let vpn_gateway = match planned.transit_gateway_id.is_null() {
                true => format!(
                    ", and the virtual private gateway ({})",
                    id(&planned.vpn_gateway_id)
                ),
                false => String::new(),
            };
            let detail = format!(
                "After this apply, destroy deletes the Azure gateway ({}) with its public IPs{vpn_gateway}.",
                id(&planned.gateway_id),
            );
            diagnostics.push(warning(
                summaries::GATEWAYS_MANAGED,
                &detail,
                &AttributeId::ManageGateways,
            ));
        }
        diagnostics
    }

    /// Fields of a tunnel that become unknown, in addition to those that are null. `stale`: the link
    /// was not read since an interrupted run.
    pub fn unknown_fields(
        self,
        key: TunnelKey,
        private: &PrivateState,
        stale: bool,
    ) -> Vec<&'static str> {
        let aws = [
            "aws_outside_ip",
            "aws_vpn_connection_id",
            TRANSIT_ATTACHMENT_ID,
            "aws_customer_gateway_id",
        ];
        let before = self.prior.tunnels.get(key);
        let lost = before.aws_customer_gateway_id.is_null() || before.azure_public_ip.is_null();
        // After an interrupted change an object may not match its neighbours although no setting
        // differs.
        let recreated = stale || private.will_recreate(key.instance, Kind::AwsCustomerGateway);
        if self.customer_gateways_replaced() || lost || recreated {
            return aws.to_vec();
        }
        let lost = before.aws_vpn_connection_id.is_null();
        let recreated = private.will_recreate(key.instance, Kind::AwsVpnConnection);
        // Which regions change the bandwidth in place is known only after the call.
        let may_recreate = [Effect::RecreatesConnections, Effect::InterruptsConnections];
        if lost
            || recreated
            || may_recreate
                .into_iter()
                .flat_map(paths_with)
                .any(|path| self.changed(path))
        {
            vec![
                "aws_outside_ip",
                "aws_vpn_connection_id",
                TRANSIT_ATTACHMENT_ID,
            ]
        } else {
            Vec::new()
        }
    }
}
