//! Gives every setting its effective value: as configured; else, for a new link, the default or
//! what the surroundings say; else as last applied or imported. What depends on something unknown
//! is unknown.

use super::attributes::{AWS_NAMES, AZURE_NAMES, DefaultValue, default_of_created_gateway, table};
use super::default_options;
use super::planned::{PlannedState, known_or_unknown};
use super::private_state::PrivateState;
use super::public_subnet::comes_or_goes;
use super::replacing_attributes::leave_drifted;
use bgp_vpn::managed::Kind;
use bgp_vpn::names::{AwsNames, AzureNames};
use bgp_vpn::preflight::{Lookup, PreflightSnapshot, eq_ignoring_case_and_spaces, network_of};
use bgp_vpn::validation::generations;
use terraform_plugin::{AttributePath, Value};

/// What settings are made from.
pub struct PlanInputs<'c, 'g> {
    pub config: &'c Value,
    /// The state before; None for a new link.
    pub prior: Option<&'g Value>,
    pub private: &'g PrivateState,
    pub snapshot: &'g PreflightSnapshot,
    pub default_region: Option<String>,
}

impl PlanInputs<'_, '_> {
    /// As last applied, else as the state has it; None for a new link and where there is no such
    /// value.
    pub fn last_applied(&self, path: &str) -> Option<Value> {
        let path = AttributePath::from(path);
        self.prior
            .map(|prior| self.private.last_applied(prior, &path))
            .filter(|value| value.is_set())
            .cloned()
    }

    /// As the state has it, else as last applied: for what follows the clouds where it is not
    /// configured.
    fn observed_or_applied(&self, path: &str) -> Option<Value> {
        self.state(path)
            .cloned()
            .or_else(|| self.last_applied(path))
    }

    /// As the state has it.
    pub fn state(&self, path: &str) -> Option<&Value> {
        self.prior
            .map(|prior| prior.at(&path.into()))
            .filter(|value| value.is_set())
    }

    /// Whether the Azure gateway is named by id rather than made. The id of a gateway that the link
    /// manages names none of others.
    pub fn azure_gateway_is_existing(&self) -> bool {
        match self.prior {
            None => {
                let named = self.config.at(&"azure.gateway_id".into());
                !named.is_null() && !self.private.is_own_gateway(named)
            }
            Some(_) => self.private.provenance.azure_gateway_is_existing,
        }
    }

    /// Whether the AWS end is a transit gateway: by configuration, or as before where that names no
    /// other end.
    pub fn on_transit_gateway(&self) -> bool {
        let configured = |path: &str| !self.config.at(&path.into()).is_null();
        let other_end = ["aws.vpc_id", "aws.vpc", "aws.vpn_gateway_id"]
            .into_iter()
            .any(configured);
        let before = self.state("aws.transit_gateway_id").is_some();
        let named = self.config.at(&"aws.transit_gateway_id".into());
        // One that is not known yet may turn out to be null: together with another gateway it
        // counts as null.
        if other_end {
            named.is_set()
        } else {
            !named.is_null() || before
        }
    }

    /// Whether the VPN gateway is named by id rather than made. Naming by its id one that this link
    /// made changes nothing.
    pub fn vpn_gateway_is_existing(&self) -> bool {
        if self.on_transit_gateway() {
            return false;
        }
        let configured = self.config.at(&"aws.vpn_gateway_id".into());
        match self.prior {
            None => !configured.is_null(),
            Some(_) if configured.is_null() => {
                self.private.provenance.vpn_gateway_is_existing && !self.leaves_vpn_gateway()
            }
            Some(_) if Some(configured) == self.state("aws.vpn_gateway_id") => {
                self.private.provenance.vpn_gateway_is_existing
            }
            Some(_) => true,
        }
    }

    /// Whether the configuration names a VPC instead of the VPN gateway that was given, and not the
    /// one of that gateway: AWS attaches one VPN gateway to a VPC.
    fn leaves_vpn_gateway(&self) -> bool {
        let vpc = self.config.at(&"aws.vpc_id".into());
        let creates = self.config.at(&"aws.vpc".into()).is_set() && vpc.is_null();
        creates || vpc.is_set() && Some(vpc) != self.state("aws.vpc_id")
    }

    /// Whether the configuration asks to take over gateways that this link did not create.
    pub fn takes_ownership(&self, settled: &Value) -> bool {
        self.prior
            .is_some_and(|prior| prior.get("manage_gateways").as_bool() == Some(false))
            && self.config.get("manage_gateways").is_set()
            && settled.get("manage_gateways").as_bool() == Some(true)
    }

    /// Whether the AWS gateway before was not created by this link, and the one that is planned is.
    fn takes_own_aws_gateway(&self) -> bool {
        let before = self.private.provenance.vpn_gateway_is_existing
            || self.state("aws.transit_gateway_id").is_some();
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
        .observed_or_applied("aws.region")
        .or_else(|| inputs.default_region.clone().map(Value::from));
    draft.fill("aws.region", known_or_unknown(region));
    if let Some(prior) = inputs.prior {
        draft.keep_prior_casing(
            "azure.resource_group_name",
            prior,
            str::eq_ignore_ascii_case,
        );
        draft.keep_prior_casing("azure.virtual_network_id", prior, same_id);
        draft.keep_prior_casing("azure.gateway_id", prior, same_id);
        draft.keep_prior_casing("azure.location", prior, eq_ignoring_case_and_spaces);
        draft.keep_prior_casing(
            "azure.virtual_network.name",
            prior,
            str::eq_ignore_ascii_case,
        );
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
fn keep_subnet_names(draft: &mut PlannedState<'_>, prior: &Value) {
    let path = AttributePath::from("azure.virtual_network.subnets");
    let (planned, before) = (draft.planned.at(&path), prior.at(&path));
    let folded = |value: &Value| {
        let entries = value
            .as_map()?
            .iter()
            .map(|(name, prefix)| (name.to_lowercase(), prefix.clone()));
        Some(entries.collect::<std::collections::BTreeMap<_, _>>())
    };
    if planned != before && folded(planned).is_some() && folded(planned) == folded(before) {
        draft.planned.set_at(&path, before.clone());
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
        "azure.gateway_id",
        known_or_unknown(inputs.state("azure.gateway_id").cloned()),
    );

    let created = draft.configured("azure.virtual_network").clone();
    let network = match inputs.prior {
        Some(_) => {
            let id = inputs.state("azure.virtual_network_id");
            let name = id
                .and_then(Value::as_str)
                .and_then(|id| id.rsplit('/').next());
            let renamed = created.get("name").as_str().is_some_and(|new| {
                let same = |name: &str| name.eq_ignore_ascii_case(new);
                !name.is_some_and(same)
            });
            id.filter(|_| !renamed).cloned()
        }
        None if created.is_null() => gateway.and_then(network_of).map(|id| id.to_string().into()),
        None => None,
    };
    draft.fill("azure.virtual_network_id", known_or_unknown(network));
    let same_network =
        inputs.state("azure.virtual_network_id") == Some(draft.at("azure.virtual_network_id"));
    draft.fill(
        "azure.virtual_network",
        inputs
            .last_applied("azure.virtual_network")
            .filter(|_| same_network),
    );
    draft.fill(
        "azure.gateway_subnet_prefix",
        inputs
            .last_applied("azure.gateway_subnet_prefix")
            .filter(|_| same_network),
    );

    let location = inputs
        .observed_or_applied("azure.location")
        .or_else(|| location(inputs, !created.is_null()).map(Value::from));
    draft.fill("azure.location", known_or_unknown(location));
    default_options::default_zones(inputs, draft);

    let of_given = |path: &str| {
        if given {
            inputs.observed_or_applied(path)
        } else {
            inputs.last_applied(path)
        }
    };
    let sku = match of_given("azure.sku") {
        Some(sku) => Some(sku),
        None if given => gateway.map(|gateway| gateway.sku.clone().into()),
        None => Some(default_of_created_gateway("azure.sku")),
    };
    draft.fill("azure.sku", known_or_unknown(sku));
    let newest = |sku: &Value| {
        generations(sku.as_str()?)?
            .last()
            .map(|generation| Value::from(*generation))
    };
    let generation = match inputs.observed_or_applied("azure.generation") {
        Some(last) => {
            let has = draft.at("azure.sku").as_str().and_then(generations);
            // Azure moves gateways to generations in which it creates none of their SKU: only
            // another SKU takes another one.
            let resized = inputs
                .last_applied("azure.sku")
                .is_none_or(|last| last != *draft.at("azure.sku"));
            let to_be_made = resized || inputs.state("azure.gateway_id").is_none();
            let lacks = !given
                && has.is_some_and(|has| !has.iter().any(|g| Some(*g) == last.as_str()))
                && to_be_made;
            if lacks {
                newest(draft.at("azure.sku"))
            } else {
                Some(last)
            }
        }
        None if given => gateway.map(|gateway| gateway.generation.clone().into()),
        None => newest(draft.at("azure.sku")),
    };
    draft.fill("azure.generation", known_or_unknown(generation));
    let asn = match of_given("azure.asn") {
        Some(asn) => Some(asn),
        None if given => gateway.map(|gateway| gateway.asn.0.into()),
        None => Some(default_of_created_gateway("azure.asn")),
    };
    draft.fill("azure.asn", known_or_unknown(asn));
}

/// From the given gateway, the VNet, or the group in which the VNet is to be made.
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
    let before = inputs.state("aws.transit_gateway_id").cloned();
    draft.fill("aws.transit_gateway_id", known_or_unknown(before.clone()));
    for path in ["aws.vpn_gateway_id", "aws.route_table_ids"] {
        draft.fill(path, Value::Null);
    }
    let vpc = draft.configured("aws.vpc");
    let has = |inputs: &PlanInputs<'_, '_>, path: &str| {
        inputs.prior.map(|prior| prior.at(&path.into()).clone())
    };
    let created =
        has(inputs, "aws.vpc").is_some_and(|had| had.get("cidr_block") == vpc.get("cidr_block"));
    let moved = has(inputs, "aws.region").is_some_and(|region| region != *draft.at("aws.region"));
    let id = inputs
        .state("aws.vpc_id")
        .filter(|_| created && !moved)
        .cloned();
    draft.fill(
        "aws.vpc_id",
        if vpc.is_null() {
            Value::Null
        } else {
            known_or_unknown(id)
        },
    );
    draft.fill("aws.vpc", Value::Null);
    let same = before.is_some_and(|before| before == *draft.at("aws.transit_gateway_id"));
    let asn = match (
        inputs.observed_or_applied("aws.asn").filter(|_| same),
        &inputs.snapshot.transit_gateway,
    ) {
        (Some(last), _) => Some(last),
        (None, Lookup::Found(gateway)) => Some(gateway.asn.0.into()),
        (None, _) => None,
    };
    draft.fill("aws.asn", known_or_unknown(asn));
}

fn aws(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    draft.fill("aws.transit_gateway_id", Value::Null);
    let given = inputs.vpn_gateway_is_existing();
    let gateway = &inputs.snapshot.vpn_gateway;
    let last_vpc = inputs.last_applied("aws.vpc");
    let same = |draft: &PlannedState<'_>, path: &str| {
        inputs
            .state(path)
            .is_some_and(|state| state == draft.at(path))
    };
    let moved = inputs.prior.is_some() && !same(draft, "aws.region");
    let new_gateway_given = given
        && (inputs.prior.is_none()
            || !draft.is_open("aws.vpn_gateway_id") && !same(draft, "aws.vpn_gateway_id"));
    let configured_vpc = draft.configured("aws.vpc").clone();
    let redrawn = !configured_vpc.is_null()
        && last_vpc
            .as_ref()
            .is_none_or(|last| last.get("cidr_block") != configured_vpc.get("cidr_block"));

    let vpc = match (new_gateway_given && configured_vpc.is_null(), gateway) {
        (true, Lookup::Found(gateway)) => gateway
            .attachment
            .as_ref()
            .map_or(Value::Null, |(vpc, _)| vpc.0.clone().into()),
        (true, _) => Value::unknown(),
        (false, _) if redrawn || moved => Value::unknown(),
        // A given gateway without a VPC stays without one.
        (false, _) if given && inputs.prior.is_some() && inputs.state("aws.vpc_id").is_none() => {
            Value::Null
        }
        (false, _) => known_or_unknown(inputs.state("aws.vpc_id").cloned()),
    };
    draft.fill("aws.vpc_id", vpc);
    let same_vpc = inputs
        .prior
        .is_some_and(|prior| prior.at(&"aws.vpc_id".into()) == draft.at("aws.vpc_id"))
        && !moved;
    let recreated = moved && !given && draft.configured("aws.vpc_id").is_null();
    draft.fill("aws.vpc", last_vpc.filter(|_| same_vpc || recreated));

    let asn = match (inputs.observed_or_applied("aws.asn"), gateway) {
        _ if !draft.configured("aws.transit_gateway_id").is_known() => None,
        (Some(last), _) if !new_gateway_given && !inputs.takes_own_aws_gateway() => Some(last),
        (_, Lookup::Found(gateway)) if given => Some(gateway.asn.0.into()),
        _ if given => None,
        _ => Some(default_of_created_gateway("aws.asn")),
    };
    draft.fill("aws.asn", known_or_unknown(asn));
    let renumbered = inputs.prior.is_some() && !same(draft, "aws.asn");
    let stays = same_vpc && !renumbered;
    draft.fill(
        "aws.vpn_gateway_id",
        known_or_unknown(
            inputs
                .state("aws.vpn_gateway_id")
                .filter(|_| stays || given)
                .cloned(),
        ),
    );
    let other_tables = inputs
        .prior
        .is_some_and(|prior| comes_or_goes(prior, &draft.planned))
        || lacks_public_table(inputs);
    let tables = inputs
        .last_applied("aws.route_table_ids")
        .filter(|_| same_vpc && !other_tables);
    draft.fill("aws.route_table_ids", known_or_unknown(tables));
}

/// Whether the public subnet's route table, which this link created, is gone: the next apply
/// creates another one.
fn lacks_public_table(inputs: &PlanInputs<'_, '_>) -> bool {
    let makes = inputs
        .last_applied("aws.vpc.public_subnet_cidr_block")
        .is_some();
    makes
        && inputs.prior.is_some_and(|prior| {
            super::flatten::read_managed(prior)
                .ids(Kind::AwsRouteTable)
                .next()
                .is_none()
        })
}

fn names(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let link = draft.at("name").as_str().map(str::to_owned);
    let azure = link.as_deref().map(AzureNames::of);
    for (attribute, _) in AZURE_NAMES {
        let path = format!("azure.names.{attribute}");
        let default = azure
            .as_ref()
            .and_then(|names| azure_name(names, attribute))
            .map(|name| name.clone().into());
        draft.fill(
            &path,
            known_or_unknown(inputs.last_applied(&path).or(default)),
        );
    }
    let aws = link.as_deref().map(AwsNames::of);
    for (attribute, _) in AWS_NAMES {
        let path = format!("aws.names.{attribute}");
        let default = aws
            .as_ref()
            .and_then(|names| aws_name(names, attribute))
            .map(|name| name.clone().into());
        draft.fill(
            &path,
            known_or_unknown(inputs.last_applied(&path).or(default)),
        );
    }
}

/// The name behind an attribute of `azure.names`.
pub fn azure_name<'a>(names: &'a AzureNames, attribute: &str) -> Option<&'a String> {
    if attribute == "gateway" {
        return Some(&names.gateway);
    }
    let tables = [
        ("local_gateway_", &names.local_gateways),
        ("connection_", &names.connections),
    ];
    for (prefix, table) in tables {
        if let Some(key) = attribute.strip_prefix(prefix) {
            return key.parse().ok().map(|key| table.get(key));
        }
    }
    let instance = attribute.strip_prefix("public_ip_")?;
    names
        .public_ips
        .iter()
        .find(|(i, _)| i.to_string() == instance)
        .map(|(_, name)| name)
}

/// The name behind an attribute of `aws.names`.
pub fn aws_name<'a>(names: &'a AwsNames, attribute: &str) -> Option<&'a String> {
    let single = match attribute {
        "vpn_gateway" => Some(&names.vpn_gateway),
        "vpc" => Some(&names.vpc),
        "internet_gateway" => Some(&names.internet_gateway),
        "public_subnet" => Some(&names.public_subnet),
        "public_route_table" => Some(&names.public_route_table),
        _ => None,
    };
    let tables = [
        ("customer_gateway_", &names.customer_gateways),
        ("vpn_connection_", &names.vpn_connections),
    ];
    single.or_else(|| {
        let (instance, table) = tables
            .iter()
            .find_map(|(prefix, table)| Some((attribute.strip_prefix(prefix)?, table)))?;
        table
            .iter()
            .find(|(i, _)| i.to_string() == instance)
            .map(|(_, name)| name)
    })
}

fn manage_gateways(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let configured = |path: &str| draft.configured(path);
    let value = match inputs.state("manage_gateways") {
        // A gateway that this link creates is its own. What was not created by it remains as it is.
        Some(_) if inputs.takes_own_aws_gateway() => true.into(),
        Some(state) => state.clone(),
        None => {
            let aws = ["aws.transit_gateway_id", "aws.vpn_gateway_id"].map(configured);
            let aws = aws
                .into_iter()
                .find(|gateway| !gateway.is_null())
                .unwrap_or(&Value::Null);
            let gateways = [configured("azure.gateway_id"), aws];
            if gateways.iter().any(|gateway| gateway.is_null()) {
                true.into()
            } else if gateways.iter().all(|gateway| gateway.is_known()) {
                false.into()
            } else {
                Value::unknown()
            }
        }
    };
    draft.fill("manage_gateways", value);
}
