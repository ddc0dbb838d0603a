//! Gives every setting its effective value: as configured; else, for a new link, the default or
//! what the surroundings say; else as last applied or imported. What depends on something unknown
//! is unknown.

use super::attributes::{AWS_NAMES, AZURE_NAMES, DefaultValue, default_of_created_gateway, table};
use super::default_options;
use super::model::{Model, read_config};
use super::object_names::{aws_name, azure_name};
use super::planned::{Place, PlannedState, known_or_unknown};
use super::private_state::PrivateState;
use super::public_subnet::comes_or_goes;
use super::replacing_attributes::leave_drifted;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::managed::Kind;
use bgp_vpn::names::{AwsNames, AzureNames};
use bgp_vpn::preflight::{Lookup, PreflightSnapshot, eq_ignoring_case_and_spaces, network_of};
use bgp_vpn::validation::generations;
use std::collections::BTreeMap;
use terraform_plugin::Value;

/// What settings are made from.
pub struct PlanInputs<'c, 'g> {
    pub config: &'c Model,
    /// The state before; None for a new link.
    pub prior: Option<&'g Model>,
    pub private: &'g PrivateState,
    pub snapshot: &'g PreflightSnapshot,
    pub default_region: Option<String>,
}

impl PlanInputs<'_, '_> {
    /// As last applied, else as the state has it; None for a new link and where there is no such
    /// value.
    pub fn last_applied(&self, place: &(impl Place + ?Sized)) -> Option<Value> {
        let path = place.path();
        self.prior
            .map(|prior| self.private.last_applied(prior.value(), &path))
            .filter(|value| value.is_set())
            .cloned()
    }

    /// As the state has it, else as last applied: for what follows the clouds where it is not
    /// configured.
    fn observed_or_applied(&self, attribute: &AttributeId) -> Option<Value> {
        self.state(attribute)
            .cloned()
            .or_else(|| self.last_applied(attribute))
    }

    /// As the state has it.
    pub fn state(&self, attribute: &AttributeId) -> Option<&Value> {
        self.prior
            .map(|prior| prior.at(attribute))
            .filter(|value| value.is_set())
    }

    /// A setting of the state; null for a new link.
    fn prior_setting<T: Clone>(&self, read: impl Fn(&Config) -> &Attr<T>) -> Attr<T> {
        self.prior.map_or(Attr::Null, |prior| read(prior).clone())
    }

    /// Whether the Azure gateway is named by id rather than made. The id of a gateway that the link
    /// manages names none of others.
    pub fn azure_gateway_is_existing(&self) -> bool {
        match self.prior {
            None => {
                let named = &self.config.gateway_id;
                let is_own = |id: &String| self.private.is_own_gateway(id);
                !named.is_null() && !named.known().is_some_and(is_own)
            }
            Some(_) => self.private.provenance.azure_gateway_is_existing,
        }
    }

    /// Whether the AWS end is a transit gateway: by configuration, or as before where that names no
    /// other end.
    pub fn on_transit_gateway(&self) -> bool {
        let config = self.config;
        let other_end =
            !config.vpc_id.is_null() || !config.vpc.is_null() || !config.vpn_gateway_id.is_null();
        // One that is not known yet may be null: together with another gateway it counts as null.
        if other_end {
            config.transit_gateway_id.is_set()
        } else {
            !config.transit_gateway_id.is_null()
                || self
                    .prior_setting(|prior| &prior.transit_gateway_id)
                    .is_set()
        }
    }

    /// Whether the VPN gateway is named by id rather than made. Naming by its id one that this link
    /// made changes nothing.
    pub fn vpn_gateway_is_existing(&self) -> bool {
        if self.on_transit_gateway() {
            return false;
        }
        let configured = &self.config.vpn_gateway_id;
        if self.prior.is_none() {
            return !configured.is_null();
        }
        let was_existing = self.private.provenance.vpn_gateway_is_existing;
        if configured.is_null() {
            return was_existing && !self.leaves_vpn_gateway();
        }
        let same =
            configured.is_set() && *configured == self.prior_setting(|prior| &prior.vpn_gateway_id);
        was_existing || !same
    }

    /// Whether the configuration names a VPC instead of the existing VPN gateway, and not the VPC
    /// of that gateway: AWS attaches one VPN gateway to a VPC.
    fn leaves_vpn_gateway(&self) -> bool {
        let config = self.config;
        let creates = config.vpc.is_set() && config.vpc_id.is_null();
        creates
            || config.vpc_id.is_set() && config.vpc_id != self.prior_setting(|prior| &prior.vpc_id)
    }

    /// Whether the configuration asks to take over gateways that this link did not create.
    pub fn takes_ownership(&self, planned: &Config) -> bool {
        self.prior_setting(|prior| &prior.manage_gateways) == Attr::Known(false)
            && self.config.manage_gateways.is_set()
            && planned.manage_gateways == Attr::Known(true)
    }

    /// Whether the AWS gateway before was not created by this link, and the one that is planned is.
    fn takes_own_aws_gateway(&self) -> bool {
        let before = self.private.provenance.vpn_gateway_is_existing
            || self
                .prior_setting(|prior| &prior.transit_gateway_id)
                .is_set();
        self.prior.is_some()
            && before
            && !self.vpn_gateway_is_existing()
            && !self.on_transit_gateway()
    }
}

/// The planned state, with every setting; what only the clouds know is left out.
pub fn apply_defaults<'c>(inputs: &PlanInputs<'c, '_>) -> PlannedState<'c> {
    let mut draft = PlannedState::new(inputs.config);
    static_defaults(inputs, &mut draft);
    if let Some(prior) = inputs.prior {
        leave_drifted(&mut draft, prior, inputs.private);
    }
    let region = inputs
        .observed_or_applied(&AttributeId::Region)
        .or_else(|| inputs.default_region.clone().map(Value::from));
    draft.fill(&AttributeId::Region, known_or_unknown(region));
    if let Some(prior) = inputs.prior {
        draft.keep_prior_casing(
            &AttributeId::ResourceGroup,
            prior,
            str::eq_ignore_ascii_case,
        );
        draft.keep_prior_casing(&AttributeId::NetworkId, prior, same_id);
        draft.keep_prior_casing(&AttributeId::AzureGateway, prior, same_id);
        draft.keep_prior_casing(&AttributeId::Location, prior, eq_ignoring_case_and_spaces);
        draft.keep_prior_casing(&AttributeId::NetworkName, prior, str::eq_ignore_ascii_case);
        keep_subnet_names(&mut draft, prior);
    }
    azure(inputs, &mut draft);
    if inputs.on_transit_gateway() {
        aws_on_transit_gateway(inputs, &mut draft);
    } else {
        aws(inputs, &mut draft);
    }
    names(inputs, &mut draft);
    default_options::default_inside_cidrs(inputs, &mut draft);
    default_options::default_policy(inputs, &mut draft);
    default_options::default_logs(inputs, &mut draft);
    manage_gateways(inputs, &mut draft);
    draft
}

/// The defaults of the attribute table, for what was never applied.
fn static_defaults(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let on_transit_gateway = inputs.on_transit_gateway();
    for row in table() {
        let value = match &row.default {
            DefaultValue::StaticOnTransitGateway(default) if !on_transit_gateway => default.clone(),
            DefaultValue::Static(default) | DefaultValue::StaticOnTransitGateway(default) => inputs
                .last_applied(&row.path)
                .unwrap_or_else(|| default.clone()),
            DefaultValue::Derived | DefaultValue::OfCreatedGateway(_) => continue,
        };
        draft.fill(&row.path, value);
    }
}

/// Azure compares names of subnets without regard to case: another spelling is the same subnet.
fn keep_subnet_names(draft: &mut PlannedState<'_>, prior: &Model) {
    let subnets = |settings: &Config| {
        let network = settings.network.known();
        network.and_then(|network| network.subnets.known().cloned())
    };
    let folded = |subnets: &BTreeMap<String, Attr<String>>| -> BTreeMap<_, _> {
        let entries = subnets.iter();
        entries
            .map(|(name, prefix)| (name.to_lowercase(), prefix.clone()))
            .collect()
    };
    let (Some(planned), Some(before)) = (subnets(&read_config(&draft.planned)), subnets(prior))
    else {
        return;
    };
    if planned != before && folded(&planned) == folded(&before) {
        let subnets = AttributeId::Subnets;
        let before = prior.at(&subnets).clone();
        draft.planned.set_at(&subnets.path(), before);
    }
}

fn same_id(a: &str, b: &str) -> bool {
    a.trim_end_matches('/')
        .eq_ignore_ascii_case(b.trim_end_matches('/'))
}

fn azure(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let given = inputs.azure_gateway_is_existing();
    let gateway = inputs.snapshot.gateway.found().filter(|_| given);
    draft.fill(
        &AttributeId::AzureGateway,
        known_or_unknown(inputs.state(&AttributeId::AzureGateway).cloned()),
    );

    let created = draft.configured(&AttributeId::Network).clone();
    let network = match inputs.prior {
        Some(_) => {
            let id = inputs.state(&AttributeId::NetworkId);
            let name = id
                .and_then(Value::as_str)
                .and_then(|id| id.rsplit('/').next());
            let renamed = draft.config.network_name().known().is_some_and(|new| {
                let same = |name: &str| name.eq_ignore_ascii_case(new);
                !name.is_some_and(same)
            });
            id.filter(|_| !renamed).cloned()
        }
        None if created.is_null() => gateway.and_then(network_of).map(|id| id.to_string().into()),
        None => None,
    };
    draft.fill(&AttributeId::NetworkId, known_or_unknown(network));
    let same_network =
        inputs.state(&AttributeId::NetworkId) == Some(draft.at(&AttributeId::NetworkId));
    draft.fill(
        &AttributeId::Network,
        inputs
            .last_applied(&AttributeId::Network)
            .filter(|_| same_network),
    );
    draft.fill(
        &AttributeId::GatewaySubnet,
        inputs
            .last_applied(&AttributeId::GatewaySubnet)
            .filter(|_| same_network),
    );

    let location = inputs
        .observed_or_applied(&AttributeId::Location)
        .or_else(|| location(inputs, !created.is_null()).map(Value::from));
    draft.fill(&AttributeId::Location, known_or_unknown(location));
    default_options::default_zones(inputs, draft);

    let of_given = |attribute: &AttributeId| {
        if given {
            inputs.observed_or_applied(attribute)
        } else {
            inputs.last_applied(attribute)
        }
    };
    let sku = match of_given(&AttributeId::Sku) {
        Some(sku) => Some(sku),
        None if given => gateway.map(|gateway| gateway.sku.clone().into()),
        None => Some(default_of_created_gateway(&AttributeId::Sku)),
    };
    draft.fill(&AttributeId::Sku, known_or_unknown(sku));
    let newest = |sku: &Value| {
        generations(sku.as_str()?)?
            .last()
            .map(|generation| Value::from(*generation))
    };
    let generation = match inputs.observed_or_applied(&AttributeId::Generation) {
        Some(last) => {
            let has = draft.at(&AttributeId::Sku).as_str().and_then(generations);
            // Azure moves gateways to generations in which it creates none of their SKU: only
            // another SKU takes another one.
            let resized = inputs
                .last_applied(&AttributeId::Sku)
                .is_none_or(|last| last != *draft.at(&AttributeId::Sku));
            let to_be_made = resized || inputs.state(&AttributeId::AzureGateway).is_none();
            let lacks = !given
                && has.is_some_and(|has| !has.iter().any(|g| Some(*g) == last.as_str()))
                && to_be_made;
            if lacks {
                newest(draft.at(&AttributeId::Sku))
            } else {
                Some(last)
            }
        }
        None if given => gateway.map(|gateway| gateway.generation.clone().into()),
        None => newest(draft.at(&AttributeId::Sku)),
    };
    draft.fill(&AttributeId::Generation, known_or_unknown(generation));
    let asn = match of_given(&AttributeId::AzureAsn) {
        Some(asn) => Some(asn),
        None if given => gateway.map(|gateway| gateway.asn.0.into()),
        None => Some(default_of_created_gateway(&AttributeId::AzureAsn)),
    };
    draft.fill(&AttributeId::AzureAsn, known_or_unknown(asn));
}

/// The location of the existing gateway, of the VNet, or of the group in which the VNet is created.
fn location(inputs: &PlanInputs<'_, '_>, makes_network: bool) -> Option<String> {
    let snapshot = inputs.snapshot;
    if let Some(gateway) = snapshot
        .gateway
        .found()
        .filter(|_| inputs.azure_gateway_is_existing())
    {
        return Some(gateway.resource.location.clone());
    }
    if let Some(network) = snapshot.network.found() {
        return Some(network.resource.location.clone());
    }
    snapshot
        .group
        .found()
        .filter(|_| makes_network)
        .map(|group| group.location.clone())
}

/// The link creates no VPN gateway and enables no propagation. A VPC that is configured is created
/// and not attached.
fn aws_on_transit_gateway(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let before = inputs.state(&AttributeId::TransitGateway).cloned();
    draft.fill(
        &AttributeId::TransitGateway,
        known_or_unknown(before.clone()),
    );
    for attribute in [AttributeId::VpnGateway, AttributeId::RouteTables] {
        draft.fill(&attribute, Value::Null);
    }
    let vpc = draft.configured(&AttributeId::Vpc);
    let range = draft.config.vpc_cidr();
    let created = inputs.prior.is_some_and(|prior| prior.vpc_cidr() == range);
    let region = AttributeId::Region;
    let moved = inputs
        .prior
        .is_some_and(|prior| prior.at(&region) != draft.at(&region));
    let id = inputs
        .state(&AttributeId::VpcId)
        .filter(|_| created && !moved)
        .cloned();
    draft.fill(
        &AttributeId::VpcId,
        if vpc.is_null() {
            Value::Null
        } else {
            known_or_unknown(id)
        },
    );
    draft.fill(&AttributeId::Vpc, Value::Null);
    let same = before.is_some_and(|before| before == *draft.at(&AttributeId::TransitGateway));
    let asn = match (
        inputs
            .observed_or_applied(&AttributeId::AwsAsn)
            .filter(|_| same),
        &inputs.snapshot.transit_gateway,
    ) {
        (Some(last), _) => Some(last),
        (None, Lookup::Found(gateway)) => Some(gateway.asn.0.into()),
        (None, _) => None,
    };
    draft.fill(&AttributeId::AwsAsn, known_or_unknown(asn));
}

fn aws(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    draft.fill(&AttributeId::TransitGateway, Value::Null);
    let given = inputs.vpn_gateway_is_existing();
    let gateway = &inputs.snapshot.vpn_gateway;
    let last_vpc = inputs.last_applied(&AttributeId::Vpc);
    let same = |draft: &PlannedState<'_>, attribute: &AttributeId| {
        inputs
            .state(attribute)
            .is_some_and(|state| state == draft.at(attribute))
    };
    let moved = inputs.prior.is_some() && !same(draft, &AttributeId::Region);
    let new_gateway_given = given
        && (inputs.prior.is_none()
            || !draft.is_open(&AttributeId::VpnGateway) && !same(draft, &AttributeId::VpnGateway));
    let configured_vpc = draft.configured(&AttributeId::Vpc).clone();
    let last_cidr = inputs.last_applied(&AttributeId::VpcCidr);
    let redrawn = !configured_vpc.is_null()
        && last_cidr.as_ref() != Some(draft.configured(&AttributeId::VpcCidr));

    let vpc = match (new_gateway_given && configured_vpc.is_null(), gateway) {
        (true, Lookup::Found(gateway)) => gateway
            .attachment
            .as_ref()
            .map_or(Value::Null, |(vpc, _)| vpc.0.clone().into()),
        (true, _) => Value::unknown(),
        (false, _) if redrawn || moved => Value::unknown(),
        // An existing gateway without a VPC stays without one.
        (false, _)
            if given && inputs.prior.is_some() && inputs.state(&AttributeId::VpcId).is_none() =>
        {
            Value::Null
        }
        (false, _) => known_or_unknown(inputs.state(&AttributeId::VpcId).cloned()),
    };
    draft.fill(&AttributeId::VpcId, vpc);
    let same_vpc = inputs
        .prior
        .is_some_and(|prior| prior.at(&AttributeId::VpcId) == draft.at(&AttributeId::VpcId))
        && !moved;
    let recreated = moved && !given && draft.configured(&AttributeId::VpcId).is_null();
    draft.fill(
        &AttributeId::Vpc,
        last_vpc.filter(|_| same_vpc || recreated),
    );

    let asn = match (inputs.observed_or_applied(&AttributeId::AwsAsn), gateway) {
        _ if !draft.configured(&AttributeId::TransitGateway).is_known() => None,
        (Some(last), _) if !new_gateway_given && !inputs.takes_own_aws_gateway() => Some(last),
        (_, Lookup::Found(gateway)) if given => Some(gateway.asn.0.into()),
        _ if given => None,
        _ => Some(default_of_created_gateway(&AttributeId::AwsAsn)),
    };
    draft.fill(&AttributeId::AwsAsn, known_or_unknown(asn));
    let renumbered = inputs.prior.is_some() && !same(draft, &AttributeId::AwsAsn);
    let stays = same_vpc && !renumbered;
    draft.fill(
        &AttributeId::VpnGateway,
        known_or_unknown(
            inputs
                .state(&AttributeId::VpnGateway)
                .filter(|_| stays || given)
                .cloned(),
        ),
    );
    let other_tables = inputs
        .prior
        .is_some_and(|prior| comes_or_goes(prior, &read_config(&draft.planned)))
        || lacks_public_table(inputs);
    let tables = inputs
        .last_applied(&AttributeId::RouteTables)
        .filter(|_| same_vpc && !other_tables);
    draft.fill(&AttributeId::RouteTables, known_or_unknown(tables));
}

/// Whether the public subnet's route table, which this link created, is gone: the next apply
/// creates another one.
fn lacks_public_table(inputs: &PlanInputs<'_, '_>) -> bool {
    let makes = inputs.last_applied(&AttributeId::PublicSubnet).is_some();
    makes
        && inputs
            .prior
            .is_some_and(|prior| prior.link.managed.ids(Kind::AwsRouteTable).next().is_none())
}

fn names(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let link = draft.at(&AttributeId::Name).as_str().map(str::to_owned);
    let azure = link.as_deref().map(AzureNames::of);
    for (attribute, _) in AZURE_NAMES {
        let id = AttributeId::AzureName(attribute.to_owned());
        let default = azure
            .as_ref()
            .and_then(|names| azure_name(names, attribute))
            .map(|name| name.clone().into());
        draft.fill(&id, known_or_unknown(inputs.last_applied(&id).or(default)));
    }
    let aws = link.as_deref().map(AwsNames::of);
    for (attribute, _) in AWS_NAMES {
        let id = AttributeId::AwsName(attribute.to_owned());
        let default = aws
            .as_ref()
            .and_then(|names| aws_name(names, attribute))
            .map(|name| name.clone().into());
        draft.fill(&id, known_or_unknown(inputs.last_applied(&id).or(default)));
    }
}

fn manage_gateways(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let configured = |attribute: AttributeId| draft.configured(&attribute);
    let value = match inputs.state(&AttributeId::ManageGateways) {
        // A gateway that this link creates is its own. What was not created by it remains as it is.
        Some(_) if inputs.takes_own_aws_gateway() => true.into(),
        Some(state) => state.clone(),
        None => {
            let aws = [AttributeId::TransitGateway, AttributeId::VpnGateway].map(configured);
            let aws = aws
                .into_iter()
                .find(|gateway| !gateway.is_null())
                .unwrap_or(&Value::Null);
            let gateways = [configured(AttributeId::AzureGateway), aws];
            if gateways.iter().any(|gateway| gateway.is_null()) {
                true.into()
            } else if gateways.iter().all(|gateway| gateway.is_known()) {
                false.into()
            } else {
                Value::unknown()
            }
        }
    };
    draft.fill(&AttributeId::ManageGateways, value);
}
