//! Imports an existing link into the state.

use super::backend::{Backend, ImportedLink};
use super::defaults::{PlanInputs, apply_defaults};
use super::flatten::identity_of;
use super::flatten::{identity, managed, set_computed};
use super::link_status::LinkStatus;
use super::model::Model;
use super::planned::{Place, PlannedState};
use super::private_state::{PrivateState, Provenance};
use super::provenance::unrecorded_addresses;
use super::refresh::import_settings;
use super::static_routing::refuse_import;
use crate::provider::summaries;
use bgp_vpn::config::AttributeId;
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::lookup::{ImportId, ImportIdError};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::ownership_tags;
use bgp_vpn::preflight::PreflightSnapshot;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use std::collections::BTreeSet;
use terraform_plugin::{Diagnostic, Diagnostics, ImportRequest, ImportResponse, Value};

/// Finds a link by id or identity.
pub async fn import(backend: &dyn Backend, request: ImportRequest) -> ImportResponse {
    let id = match import_id(&request) {
        Ok(id) => id,
        Err(diagnostic) => return Diagnostics::from(diagnostic).into(),
    };
    match backend.discover(&id, &request.cancel).await {
        Ok(found) => imported_state(&id, &found),
        Err(diagnostics) => diagnostics.into(),
    }
}

fn import_id(request: &ImportRequest) -> Result<ImportId, Diagnostic> {
    let text = match &request.identity {
        Some(identity) if request.id.is_empty() => {
            let part = |name: &str| identity.get(name).as_str().unwrap_or_default().to_owned();
            format!("{},{}", part("azure_gateway_id"), part("inside_cidr"))
        }
        _ => request.id.clone(),
    };
    ImportId::parse(&text).map_err(|fault| invalid_import_id(&text, &fault))
}

/// Rejects an import ID.
pub fn invalid_import_id(text: &str, fault: &ImportIdError) -> Diagnostic {
    Diagnostic::error(summaries::INVALID_IMPORT_ID).detail(format!(
        "{text:?}: {fault}. Use \"<Azure gateway resource ID>,<inside CIDR of instance0_tunnel1>\" or \
         \"<Azure gateway resource ID>,<vgw-... or tgw-...>\". Append \"@<region>\" if the link is not in the region of the provider."
    ))
}

/// Warns of an imported link that the next apply completes.
pub fn incomplete() -> Diagnostic {
    Diagnostic::warning(summaries::INCOMPLETE_IMPORT)
        .detail("Objects of this link are missing, or its create did not complete. The next apply completes the link.")
}

/// Warns of an imported link that another state may contain.
pub fn shared() -> Diagnostic {
    Diagnostic::warning(summaries::SHARED_LINK).detail(
        "The objects of this link carry tags of this provider, so another Terraform state created or imported it before. Two states undo \
         each other's changes, and each of them can destroy the link. If another state still contains it, remove it there with terraform \
         state rm.",
    )
}

/// Rejects BGP addresses on the wrong instance of a gateway.
pub fn wrong_instance(words: &[String]) -> Diagnostic {
    Diagnostic::error(summaries::UNSUPPORTED_BGP_ADDRESS).detail(format!(
        "The Azure gateway lists BGP addresses of this link on the wrong instance, where the tunnels cannot use them: {}. Correct \
         bgpSettings.bgpPeeringAddresses of the gateway, then import the link.",
        words.join("; ")
    ))
}

fn imported_state(id: &ImportId, found: &ImportedLink) -> ImportResponse {
    let observed = &found.observed;
    if let Some(refusal) = refuse_import(observed) {
        return Diagnostics::from(refusal).into();
    }
    let tagged = |tags: &Tags| found.link.is_on(tags);
    let azure_own = observed
        .azure
        .gateway
        .as_ref()
        .is_some_and(|gateway| tagged(&gateway.resource.tags));
    if let Some(refusal) = misplaced(found).filter(|_| !azure_own) {
        return Diagnostics::from(refusal).into();
    }
    let aws_own = observed
        .aws
        .gateway
        .as_ref()
        .is_some_and(|gateway| tagged(&gateway.tags));
    let propagating = observed.aws.gateway.as_ref().map(|gateway| {
        let tables = observed
            .aws
            .route_tables
            .iter()
            .filter(|table| table.propagating.contains(&gateway.id));
        tables.map(|table| table.id.0.clone()).collect::<Vec<_>>()
    });
    let propagating = propagating.unwrap_or_default();
    let on_transit = found.known.transit_gateway.is_some();
    let mut private = PrivateState {
        provenance: Provenance {
            azure_gateway_is_existing: !azure_own,
            vpn_gateway_is_existing: !aws_own && !on_transit,
            creates_gateway_subnet: false,
            preexisting_addresses: if azure_own {
                BTreeSet::new()
            } else {
                unrecorded_addresses(observed, &found.inside_cidrs, &found.link)
            },
            preexisting_propagation: if aws_own {
                Vec::new()
            } else {
                preexisting_propagation(found, &propagating)
            },
        },
        link: Some(found.link.clone()),
        imported: true,
        ..PrivateState::default()
    };
    let group = found
        .known
        .resource_group
        .clone()
        .unwrap_or_else(|| id.azure_gateway.resource_group().to_owned());
    let mut config = Value::Null;
    config.set_at(&AttributeId::Name.path(), found.name.as_str());
    config.set_at(&AttributeId::ResourceGroup.path(), group);
    config.set_at(&AttributeId::Region.path(), found.region.0.clone());
    let config = Model::read(&config);
    let snapshot = PreflightSnapshot::default();
    let inputs = PlanInputs {
        config: &config,
        prior: None,
        private: &private,
        snapshot: &snapshot,
        default_region: None,
    };
    let mut planned = apply_defaults(&inputs);
    import_settings(&mut planned, observed);
    import_options(&mut planned, found, azure_own || aws_own, propagating);
    import_names(&mut planned, found);
    let mut state = planned.planned.unknown_as_null();
    for name in [
        "id",
        "tunnels",
        "managed",
        "tags",
        "timeouts",
        "preshared_keys_wo_version",
        "rotate_keys",
    ] {
        state.set(name, Value::Null);
    }
    let mut sole = Managed::default();
    let customers = observed
        .aws
        .customer_gateways
        .iter()
        .filter_map(|(_, customer)| Some(&customer.as_ref()?.id));
    customers
        .filter(|id| !found.shared_customer_gateways.contains(id))
        .for_each(|id| sole.add(Kind::AwsCustomerGateway, id));
    let managed = managed(&Model::read(&state), observed, &sole, &private, false);
    let count = |kind| managed.ids(kind).count();
    let has_all_connections = count(Kind::AzureConnection) == TunnelKey::ALL.len()
        && count(Kind::AwsVpnConnection) == Instance::ALL.len();
    set_computed(&mut state, observed, &managed);
    let first = found.inside_cidrs.get(TunnelKey {
        instance: Instance::Zero,
        number: 1,
    });
    let gateway = observed
        .azure
        .gateway
        .as_ref()
        .map_or(&id.azure_gateway, |gateway| &gateway.resource.id);
    state.set("id", identity(gateway.as_str(), &first.to_string()).0);
    LinkStatus::Complete
        .refreshed(observed)
        .store(&mut state, Vec::new());
    private.record_applied(&state);
    let mut messages = Diagnostics::new();
    if !found.complete || !has_all_connections {
        messages.push(incomplete());
    }
    let connections = observed
        .aws
        .vpn_connections
        .iter()
        .filter_map(|(_, vpn)| vpn.as_ref());
    if connections
        .into_iter()
        .any(|vpn| found.link.is_on(&vpn.tags))
    {
        messages.push(shared());
    }
    ImportResponse {
        identity: identity_of(&state),
        state,
        private: private.write(),
        deferred: None,
        diagnostics: messages,
    }
}

/// Rejects tunnels whose BGP address another user's gateway lists on the instance that cannot use
/// it: Azure lists an address once for each gateway, so that no apply could add it where it is
/// needed.
fn misplaced(found: &ImportedLink) -> Option<Diagnostic> {
    let gateway = found.observed.azure.gateway.as_ref()?;
    let elsewhere = |(key, cidr): (TunnelKey, &InsideCidr)| {
        let others = Instance::ALL
            .into_iter()
            .zip(&gateway.instances)
            .filter(|(at, _)| *at != key.instance);
        let (at, instance) = others
            .into_iter()
            .find(|(_, at)| at.custom_bgp_ips.contains(&cidr.azure_ip()))?;
        let (ip, configuration) = (cidr.azure_ip(), &instance.ip_configuration_id);
        Some(format!(
            "{ip} is listed on {at} ({configuration}), but {key} needs it on {}",
            key.instance
        ))
    };
    let words: Vec<String> = found.inside_cidrs.iter().filter_map(elsewhere).collect();
    (!words.is_empty()).then(|| wrong_instance(&words))
}

/// Tags of the customer gateways that are the link's own.
fn ownership_tags(found: &ImportedLink) -> impl Iterator<Item = &Tags> {
    let customers = found
        .observed
        .aws
        .customer_gateways
        .iter()
        .filter_map(|(_, customer)| customer.as_ref());
    customers
        .map(|customer| &customer.tags)
        .filter(|tags| found.link.is_on(tags))
}

/// Route tables that receive routes from an existing VPN gateway and for which the link did not
/// enable propagation, according to its tags.
fn preexisting_propagation(found: &ImportedLink, propagating: &[String]) -> Vec<String> {
    let own: BTreeSet<String> = ownership_tags(found)
        .flat_map(ownership_tags::recorded_propagations)
        .collect();
    let gateway = found
        .observed
        .aws
        .gateway
        .as_ref()
        .map(|gateway| &gateway.id.0);
    let is_own = |table: &&String| {
        gateway.is_some_and(|gateway| own.contains(&format!("{table}/{gateway}")))
    };
    propagating
        .iter()
        .filter(|table| !is_own(table))
        .cloned()
        .collect()
}

fn import_options(
    planned: &mut PlannedState<'_>,
    found: &ImportedLink,
    own: bool,
    propagating: Vec<String>,
) {
    let observed = &found.observed;
    for (key, cidr) in found.inside_cidrs.iter() {
        planned.fill(&AttributeId::InsideCidr(key), cidr.to_string());
    }
    planned.fill(
        &AttributeId::Slot,
        Slot::of(&found.inside_cidrs).map(Slot::number),
    );
    planned.fill(&AttributeId::ManageGateways, own);
    let group = observed
        .azure
        .group
        .as_ref()
        .is_some_and(|group| found.link.is_on(&group.tags));
    planned.fill(&AttributeId::CreateGroup, group);
    let main = observed
        .aws
        .route_tables
        .iter()
        .find(|table| table.main)
        .map(|table| table.id.0.clone());
    // Without any propagation no route would reach Azure: the main table counts as wanted.
    let tables = if propagating.is_empty() {
        main.into_iter().collect()
    } else {
        propagating
    };
    let on_vpc = found.known.transit_gateway.is_none();
    planned.fill(
        &AttributeId::RouteTables,
        if on_vpc {
            Value::set_of(tables)
        } else {
            Value::Null
        },
    );
    if let Some(network) = observed
        .azure
        .network
        .as_ref()
        .filter(|n| found.link.is_on(&n.resource.tags))
    {
        let (gateway, others): (Vec<_>, Vec<_>) = network
            .subnets
            .iter()
            .partition(|s| s.name == "GatewaySubnet");
        let prefix = gateway
            .first()
            .and_then(|subnet| subnet.prefix)
            .map(|prefix| prefix.to_string());
        let others: Vec<(String, Value)> = others
            .iter()
            .filter_map(|s| Some((s.name.clone(), s.prefix?.to_string().into())))
            .collect();
        let made = Value::object([
            ("name", Value::from(network.resource.id.name())),
            (
                "address_space",
                Value::list(network.address_space.iter().map(ToString::to_string)),
            ),
            ("gateway_subnet_prefix", prefix.into()),
            (
                "subnets",
                if others.is_empty() {
                    Value::Null
                } else {
                    Value::map(others)
                },
            ),
        ]);
        planned.fill(&AttributeId::Network, made);
    }
    if let Some(vpc) = observed
        .aws
        .vpc
        .as_ref()
        .filter(|vpc| found.link.is_on(&vpc.tags))
    {
        let public = observed.aws.public_subnet.as_ref();
        let public = observed
            .aws
            .subnets
            .iter()
            .find(|subnet| Some(&subnet.id) == public);
        let made = Value::object([
            ("cidr_block", Value::from(vpc.cidr.to_string())),
            (
                "public_subnet_cidr_block",
                public.map(|subnet| subnet.cidr.to_string()).into(),
            ),
        ]);
        planned.fill(&AttributeId::Vpc, made);
    }
}

/// Objects keep the names that they have.
fn import_names(planned: &mut PlannedState<'_>, found: &ImportedLink) {
    let (azure, aws) = (&found.observed.azure, &found.observed.aws);
    let mut azure_name = |attribute: String, id: Option<&crate::azure::id::ResourceId>| {
        if let Some(id) = id {
            planned.fill(&AttributeId::AzureName(attribute), id.name());
        }
    };
    azure_name(
        "gateway".into(),
        azure.gateway.as_ref().map(|gateway| &gateway.resource.id),
    );
    for (instance, ip) in azure.public_ips.iter() {
        azure_name(
            format!("public_ip_{instance}"),
            ip.as_ref().map(|ip| &ip.resource.id),
        );
    }
    for key in TunnelKey::ALL {
        let local = azure.local_gateways.get(key).as_ref();
        azure_name(
            format!("local_gateway_{key}"),
            local.map(|local| &local.resource.id),
        );
        let connection = azure.connections.get(key).as_ref();
        azure_name(
            format!("connection_{key}"),
            connection.map(|connection| &connection.resource.id),
        );
    }
    let mut aws_name = |attribute: String, tags: Option<&Tags>| {
        if let Some(name) = tags.and_then(|tags| tags.get("Name")) {
            planned.fill(&AttributeId::AwsName(attribute), name.as_str());
        }
    };
    aws_name(
        "vpn_gateway".into(),
        aws.gateway.as_ref().map(|gateway| &gateway.tags),
    );
    for instance in Instance::ALL {
        let customer = aws.customer_gateways.get(instance).as_ref();
        aws_name(
            format!("customer_gateway_{instance}"),
            customer.map(|gateway| &gateway.tags),
        );
        let vpn = aws.vpn_connections.get(instance).as_ref();
        aws_name(
            format!("vpn_connection_{instance}"),
            vpn.map(|vpn| &vpn.tags),
        );
    }
    aws_name(
        "vpc".into(),
        aws.vpc
            .as_ref()
            .filter(|vpc| found.link.is_on(&vpc.tags))
            .map(|vpc| &vpc.tags),
    );
}
