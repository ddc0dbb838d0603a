//! Where an object differs from what is wanted, in words that a plan can show. Pure comparison of
//! one object at a time.
//!
//! What clouds fill in themselves, or order as they please, is not compared: peering addresses are
//! sets, the custom address of the instance that a connection does not use is a placeholder, and
//! only configured tags count.

use super::ipsec::{IpsecPolicy, is_default};
use super::observed::Observed;
use super::ownership_tags::{AwsEndpoint, TAG_NAME};
use super::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use super::tunnel::{Instance, TunnelKey};
use crate::aws::{self as aws, Logs, Phase};
use crate::azure::model::{self as azure, ProvisioningState};
use crate::types::Tags;
use crate::types::tags::with_canonical_keys;
use std::net::Ipv4Addr;

/// Sentences of the form "… is X, not Y".
pub type Reasons = Vec<String>;

fn differs<T: PartialEq + std::fmt::Display>(found: &mut Reasons, what: &str, have: T, want: T) {
    if have != want {
        found.push(format!("{what} is {have}, not {want}"));
    }
}

/// Tags that are named by the user and are missing or say something else.
pub fn user_tag_diff(have: &Tags, want: &Tags) -> Reasons {
    let said = |key: &String, value: &String| match have.get(key) {
        Some(other) if other == value => None,
        Some(other) => Some(format!("tag {key:?} is {other:?}, not {value:?}")),
        None => Some(format!("tag {key:?} is missing")),
    };
    want.iter()
        .filter_map(|(key, value)| said(key, value))
        .collect()
}

/// Tags that the user named or took back, and the link's own name where an object carries one.
pub fn tag_diff(have: &Tags, spec: &Spec) -> Reasons {
    let mut found = user_tag_diff(have, &desired_tags(have, spec));
    found.extend(removed_tags(have, spec).map(|key| format!("tag {key:?} is no longer wanted")));
    found
}

/// [`tag_diff`] of an Azure object. Azure compares tag names without regard to case, and policies
/// change their spelling.
pub fn azure_tag_diff(have: &Tags, spec: &Spec) -> Reasons {
    tag_diff(&tags_with_canonical_keys(have, spec), spec)
}

/// Tags of an Azure object in this link's spelling.
pub fn tags_with_canonical_keys(have: &Tags, spec: &Spec) -> Tags {
    with_canonical_keys(have, spec.removals.tags.iter().chain(spec.tags.keys()))
}

/// Keys of the tags that the user took back and that an object still carries.
pub fn removed_tags<'a>(have: &'a Tags, spec: &'a Spec) -> impl Iterator<Item = &'a String> {
    spec.removals
        .tags
        .iter()
        .filter(|key| have.contains_key(*key))
}

/// Ownership tags that a gateway lacks which this run claims.
pub fn missing_ownership_tags(have: &Tags, spec: &Spec, part: impl std::fmt::Display) -> Tags {
    if !spec.claims_gateways || spec.link.is_on(have) {
        return Tags::new();
    }
    let mut tags = spec.link.tags(part);
    tags.insert(TAG_NAME.to_owned(), spec.name.clone());
    tags.extend(AwsEndpoint::of(&spec.aws).map(|endpoint| endpoint.tag()));
    tags
}

/// The same, in words.
pub fn describe_missing_ownership_tags(
    have: &Tags,
    spec: &Spec,
    what: impl std::fmt::Display,
) -> Reasons {
    let lacks = spec.claims_gateways && !spec.link.is_on(have);
    lacks
        .then(|| format!("{what} lacks this link's tags"))
        .into_iter()
        .collect()
}

/// What [`tag_diff`] compares with. An object without a name, which another user created, gets
/// none.
pub fn desired_tags(have: &Tags, spec: &Spec) -> Tags {
    let mut wanted = spec.tags.clone();
    if have.contains_key(TAG_NAME) {
        wanted.insert(TAG_NAME.to_owned(), spec.name.clone());
    }
    wanted
}

/// What Azure gave up on is written again as it is.
pub fn provisioning_failure(what: &str, state: ProvisioningState) -> Reasons {
    let how = match state {
        ProvisioningState::Failed => "failed",
        ProvisioningState::Canceled => "was cancelled",
        _ => return Reasons::new(),
    };
    vec![format!("the last operation on {what} {how}")]
}

/// This link's addresses that a gateway instance does not list.
pub fn missing_bgp_addresses(spec: &Spec, observed: &Observed) -> Vec<(Instance, Ipv4Addr)> {
    TunnelKey::ALL
        .into_iter()
        .map(|key| (key.instance, spec.inside_cidrs.get(key).azure_ip()))
        .filter(|(instance, ip)| {
            observed
                .azure
                .gateway_instance(*instance)
                .is_some_and(|listed| !listed.custom_bgp_ips.contains(ip))
        })
        .collect()
}

/// A VNet of this link. Ranges that another user added are not changed.
pub fn network(spec: &Spec, have: &azure::VirtualNetwork) -> Reasons {
    let own = spec.link.is_on(&have.resource.tags)
        && matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    let mut found = if own {
        azure_tag_diff(&have.resource.tags, spec)
    } else {
        Vec::new()
    };
    let AzureNetwork::Create { address_space, .. } = &spec.azure.network else {
        return found;
    };
    found.extend(provisioning_failure(
        "the virtual network",
        have.resource.state,
    ));
    let lacking = address_space
        .iter()
        .filter(|range| !have.address_space.contains(range));
    found.extend(lacking.map(|range| format!("the virtual network lacks the range {range}")));
    let former = have
        .address_space
        .iter()
        .filter(|range| spec.removals.address_space.contains(range));
    found.extend(former.map(|range| format!("the virtual network still has the range {range}")));
    found
}

/// A public IP of this link.
pub fn public_ip(spec: &Spec, instance: Instance, have: &azure::PublicIp) -> Reasons {
    if !spec.link.is_on(&have.resource.tags) {
        return describe_missing_ownership_tags(
            &have.resource.tags,
            spec,
            format!("the public IP of {instance}"),
        );
    }
    let mut found =
        provisioning_failure(&format!("the public IP of {instance}"), have.resource.state);
    found.extend(azure_tag_diff(&have.resource.tags, spec));
    found
}

pub fn gateway(spec: &Spec, observed: &Observed, have: &azure::Gateway) -> Reasons {
    let mut found = Reasons::new();
    if let AzureGateway::Managed { sku, asn, .. } = &spec.azure.gateway {
        found.extend(provisioning_failure(
            "the Azure gateway",
            have.resource.state,
        ));
        if !have.sku.eq_ignore_ascii_case(sku) {
            found.push(format!(
                "the Azure gateway's SKU is {}, not {sku}",
                have.sku
            ));
        }
        differs(&mut found, "the Azure gateway's ASN", have.asn, *asn);
        found.extend(azure_tag_diff(&have.resource.tags, spec));
        found.extend(describe_missing_ownership_tags(
            &have.resource.tags,
            spec,
            "the Azure gateway",
        ));
    }
    for (instance, ip) in missing_bgp_addresses(spec, observed) {
        found.push(format!(
            "{instance} of the Azure gateway does not list the BGP address {ip}"
        ));
    }
    found
}

/// Whether a VPN connection has to be recreated: what EC2 fixes for its life differs.
pub fn vpn_connection_needs_replacement(
    spec: &Spec,
    have: &aws::VpnConnection,
    instance: Instance,
) -> Option<String> {
    let name = format!("the VPN connection {} to {instance}", have.id);
    if have.accelerated != spec.aws.acceleration {
        let not = if have.accelerated { "" } else { "not " };
        return Some(format!("{name} is {not}accelerated"));
    }
    let (is, wanted) = (have.bandwidth.as_str(), spec.aws.bandwidth.as_str());
    (spec.aws.recreates_for_bandwidth && is != wanted)
        .then(|| format!("the tunnels of {name} are {is}, not {wanted}"))
}

/// How a VPN connection that stays differs in itself, its tunnels' options apart.
pub fn vpn_connection(
    spec: &Spec,
    observed: &Observed,
    have: &aws::VpnConnection,
    instance: Instance,
) -> Reasons {
    let mut found = super::vpn_connection::describe_diff(spec, observed, have, instance);
    found.extend(tag_diff(&have.tags, spec));
    found
}

/// Where the public subnet that is there has another range. Its range is known only where it was
/// read by its tags.
pub fn public_subnet(spec: &Spec, observed: &Observed) -> Reasons {
    let AwsNetwork::Create {
        public_subnet: Some(wanted),
        ..
    } = &spec.aws.network
    else {
        return Reasons::new();
    };
    let there = observed
        .aws
        .subnets
        .iter()
        .find(|subnet| observed.aws.public_subnet.as_ref() == Some(&subnet.id));
    let other = there.filter(|subnet| {
        spec.removals.public_subnet && subnet.cidr != *wanted && spec.link.is_on(&subnet.tags)
    });
    other
        .map(|subnet| format!("the public subnet is {}, not {wanted}", subnet.cidr))
        .into_iter()
        .collect()
}

/// The ASN of the AWS end.
pub fn amazon_asn(spec: &Spec, observed: &Observed) -> Option<crate::types::Asn> {
    match &spec.aws.gateway {
        AwsGateway::ManagedVgw { asn } => Some(*asn),
        _ => observed.amazon_asn(),
    }
}

/// The options that a tunnel should have, without key and inside CIDR.
pub fn desired_options(spec: &Spec) -> aws::TunnelOptions {
    let (phase1, phase2) = spec.policy.aws();
    aws::TunnelOptions {
        inside_cidr: None,
        key: None,
        key_storage: None,
        startup_action: Some(spec.aws.startup_action.clone()),
        dpd_timeout_action: Some(spec.aws.dpd_timeout_action.clone()),
        dpd_timeout_seconds: Some(spec.aws.dpd_timeout_seconds),
        ike_versions: vec!["ikev2".to_owned()],
        phase1,
        phase2,
        logs: Some(spec.aws.logs.clone()).filter(|logs| *logs != Logs::default()),
        lifecycle_control: spec.aws.tunnel_lifecycle_control.then_some(true),
    }
}

/// EC2's answer for what was never set (VpnTunnelOptionsSpecification: defaults).
const STARTUP_DEFAULT: &str = "add";
const DPD_ACTION_DEFAULT: &str = "clear";
const DPD_SECONDS_DEFAULT: u32 = 30;

/// How the options of a tunnel endpoint differ, its key apart.
#[derive(Debug, Default)]
pub struct TunnelDiff {
    pub reasons: Reasons,
    /// Those of them whose repair interrupts nothing as long as it is not made together with
    /// others.
    pub nondisruptive: Reasons,
    /// The smallest change that repairs it.
    pub change: aws::TunnelOptions,
}

/// Compares the options of a tunnel endpoint with what is wanted.
pub fn tunnel(spec: &Spec, have: &aws::Tunnel, key: TunnelKey) -> TunnelDiff {
    let want = desired_options(spec);
    let TunnelDiff {
        reasons: mut found,
        mut nondisruptive,
        mut change,
    } = TunnelDiff::default();
    let cidr = spec.inside_cidrs.get(key).net();
    if have.inside_cidr != Some(cidr) {
        let was = have
            .inside_cidr
            .map_or_else(|| "unset".to_owned(), |c| c.to_string());
        found.push(format!(
            "the AWS tunnel {key} has the inside CIDR {was}, not {cidr}"
        ));
        change.inside_cidr = Some(cidr);
    }
    let startup = have
        .options
        .startup_action
        .as_deref()
        .unwrap_or(STARTUP_DEFAULT);
    if want.startup_action.as_deref() != Some(startup) {
        found.push(format!(
            "the startup action of the AWS tunnel {key} is {startup}, not {}",
            spec.aws.startup_action
        ));
        change.startup_action.clone_from(&want.startup_action);
    }
    let action = have
        .options
        .dpd_timeout_action
        .as_deref()
        .unwrap_or(DPD_ACTION_DEFAULT);
    if want.dpd_timeout_action.as_deref() != Some(action) {
        let wanted = &spec.aws.dpd_timeout_action;
        found.push(format!(
            "the DPD timeout action of the AWS tunnel {key} is {action}, not {wanted}"
        ));
        change
            .dpd_timeout_action
            .clone_from(&want.dpd_timeout_action);
    }
    let seconds = have
        .options
        .dpd_timeout_seconds
        .unwrap_or(DPD_SECONDS_DEFAULT);
    if want.dpd_timeout_seconds != Some(seconds) {
        let wanted = spec.aws.dpd_timeout_seconds;
        found.push(format!(
            "the DPD timeout of the AWS tunnel {key} is {seconds} s, not {wanted} s"
        ));
        change.dpd_timeout_seconds = want.dpd_timeout_seconds;
    }
    let ike = &have.options.ike_versions;
    // An endpoint that lists nothing accepts both: so do those of links that were not created here.
    if !ike.is_empty()
        && ike
            .iter()
            .any(|version| !version.eq_ignore_ascii_case("ikev2"))
    {
        let outside = have.outside_ip;
        found.push(format!(
            "the AWS tunnel {key} ({outside}) accepts {}, not IKEv2 only",
            ike.join(" and ")
        ));
        change.ike_versions.clone_from(&want.ike_versions);
    }
    if !same_policy(spec, &have.options.phase1, &have.options.phase2) {
        found.push(format!(
            "the IPsec policy of the AWS tunnel {key} is not this link's"
        ));
        (change.phase1, change.phase2) = (want.phase1, want.phase2);
    }
    let logs = have.options.logs.clone().unwrap_or_default();
    if logs != spec.aws.logs {
        found.push(format!(
            "the logs of the AWS tunnel {key} are {logs}, not {}",
            spec.aws.logs
        ));
        change.logs = Some(spec.aws.logs.clone());
    }
    let wanted = spec.aws.key_storage;
    if let Some(storage) = have.key_storage.filter(|storage| *storage != wanted) {
        found.push(format!(
            "the key storage of the AWS tunnel {key} is {storage}, not {wanted}"
        ));
        change.key_storage = Some(wanted);
    }
    let (has, wants) = (
        have.options.lifecycle_control.unwrap_or_default(),
        spec.aws.tunnel_lifecycle_control,
    );
    if has != wants {
        nondisruptive.push(format!(
            "the lifecycle control of the AWS tunnel {key} is {has}, not {wants}"
        ));
        found.extend(nondisruptive.clone());
        change.lifecycle_control = Some(wants);
    }
    TunnelDiff {
        reasons: found,
        nondisruptive,
        change,
    }
}

fn same_policy(spec: &Spec, phase1: &Phase, phase2: &Phase) -> bool {
    let (want1, want2) = spec.policy.aws();
    match spec.policy {
        IpsecPolicy::Unmanaged => true,
        IpsecPolicy::CloudDefault => is_default(phase1, &want1) && is_default(phase2, &want2),
        IpsecPolicy::Explicit(_) => {
            IpsecPolicy::read_aws(phase1, phase2).as_ref() == Some(&spec.policy)
        }
    }
}

/// None while the AWS end is not known yet: the local gateway has to follow it in any case.
pub fn local_gateway(
    spec: &Spec,
    observed: &Observed,
    key: TunnelKey,
    have: &azure::LocalGateway,
) -> Reasons {
    let mut found = provisioning_failure(
        &format!("the local network gateway for {key}"),
        have.resource.state,
    );
    if let Some(outside) = observed.tunnel(key).map(|t| t.outside_ip)
        && have.gateway_ip != Some(outside)
    {
        found.push(format!(
            "the local network gateway for {key} does not point at the AWS endpoint {outside}"
        ));
    }
    let peer = spec.inside_cidrs.get(key).aws_ip();
    if let Some(asn) = amazon_asn(spec, observed)
        && have.bgp != Some((asn, peer))
    {
        found.push(format!(
            "the local network gateway for {key} does not name the BGP peer {peer} with ASN {asn}"
        ));
    }
    found.extend(azure_tag_diff(&have.resource.tags, spec));
    found
}

/// Why a connection cannot be changed into what is wanted.
pub fn connection_needs_replacement(
    spec: &Spec,
    have: &azure::Connection,
    key: TunnelKey,
) -> Option<String> {
    if have
        .gateway_id
        .as_ref()
        .is_some_and(|id| id != spec.azure.gateway.id())
    {
        return Some(format!(
            "the Azure connection for {key} belongs to another gateway"
        ));
    }
    if have
        .protocol
        .as_deref()
        .is_some_and(|p| !p.eq_ignore_ascii_case("IKEv2"))
    {
        return Some(format!(
            "the Azure connection for {key} uses IKEv1, not IKEv2"
        ));
    }
    None
}

pub fn connection(
    spec: &Spec,
    observed: &Observed,
    key: TunnelKey,
    have: &azure::Connection,
) -> Reasons {
    let mut found = provisioning_failure(
        &format!("the Azure connection for {key}"),
        have.resource.state,
    );
    let local = observed
        .azure
        .local_gateways
        .get(key)
        .as_ref()
        .map(|l| &l.resource.id);
    if local.is_some() && have.local_gateway_id.as_ref() != local {
        found.push(format!(
            "the Azure connection for {key} points at another local network gateway"
        ));
    }
    if !have.enable_bgp {
        found.push(format!("BGP is disabled on the Azure connection for {key}"));
    }
    if have.policy_based_selectors {
        found.push(format!(
            "the Azure connection for {key} uses policy-based traffic selectors ({})",
            have.resource.id
        ));
    }
    if have.traffic_selectors > 0 {
        let selectors = have.traffic_selectors;
        found.push(format!(
            "the Azure connection for {key} has {selectors} trafficSelectorPolicies ({})",
            have.resource.id
        ));
    }
    let own = spec.inside_cidrs.get(key).azure_ip();
    let named = observed
        .azure
        .gateway_instance(key.instance)
        .and_then(|instance| {
            have.custom_bgp_ips
                .iter()
                .find(|(id, _)| *id == instance.ip_configuration_id)
                .map(|(_, ip)| *ip)
        });
    if observed.azure.gateway_instance(key.instance).is_some() && named != Some(own) {
        found.push(format!(
            "the Azure connection for {key} does not use the BGP address {own}"
        ));
    }
    let former = |(id, ip): &(crate::azure::id::ResourceId, Ipv4Addr)| {
        let of = |at: &Instance| {
            observed
                .azure
                .gateway_instance(*at)
                .is_some_and(|i| i.ip_configuration_id == *id)
        };
        Instance::ALL
            .into_iter()
            .find(of)
            .is_some_and(|at| spec.removals.addresses.contains(&(at, *ip)))
    };
    // A placeholder is not compared, but as long as it is named the gateway has to list it.
    if named == Some(own) && have.custom_bgp_ips.iter().any(former) {
        found.push(format!(
            "the Azure connection for {key} uses a BGP address that this link no longer uses"
        ));
    }
    if have.mode != spec.azure.connection_mode {
        let want = spec.azure.connection_mode;
        found.push(format!(
            "the mode of the Azure connection for {key} is {:?}, not {want:?}",
            have.mode
        ));
    }
    if have.dpd_timeout_seconds != spec.azure.dpd_timeout_seconds {
        let (dpd, want) = (have.dpd_timeout_seconds, spec.azure.dpd_timeout_seconds);
        found.push(format!(
            "the DPD timeout of the Azure connection for {key} is {dpd} s, not {want} s"
        ));
    }
    if !keeps_azure_policy(spec, have) {
        found.push(format!(
            "the IPsec policy of the Azure connection for {key} is not this link's"
        ));
    }
    found.extend(azure_tag_diff(&have.resource.tags, spec));
    found
}

/// Whether the policy of an Azure connection stays as it is. An imported policy is not changed. On an
/// accelerated link Azure must rekey before AWS, so a longer lifetime is corrected. So is that of an
/// accelerated link where the link is no longer one.
pub fn keeps_azure_policy(spec: &Spec, have: &azure::Connection) -> bool {
    let (have, want) = (have.policy.as_ref(), spec.azure_policy());
    let lifetime = |policy: Option<&azure::IpsecPolicy>| policy.map(|it| it.sa_life_time_seconds);
    let accelerated = spec.policy.azure(true);
    let is_corrected = match spec.aws.acceleration {
        true => lifetime(have) > lifetime(want.as_ref()),
        false => want.is_some() && lifetime(have) == lifetime(accelerated.as_ref()),
    };
    spec.policy == IpsecPolicy::Unmanaged
        || azure_policy_agrees(have, want.as_ref()) && !is_corrected
}

/// Lifetimes are local to Azure and need not match anything; `PFS14` and `PFS2048`, `DHGroup14` and
/// `DHGroup2048` are one group.
pub fn azure_policy_agrees(
    have: Option<&azure::IpsecPolicy>,
    want: Option<&azure::IpsecPolicy>,
) -> bool {
    let group = |word: &str| word.replace("2048", "14");
    match (have, want) {
        (None, None) => true,
        (Some(have), Some(want)) => {
            have.ike_encryption == want.ike_encryption
                && have.ike_integrity == want.ike_integrity
                && group(&have.dh_group) == group(&want.dh_group)
                && have.ipsec_encryption == want.ipsec_encryption
                && have.ipsec_integrity == want.ipsec_integrity
                && group(&have.pfs_group) == group(&want.pfs_group)
        }
        _ => false,
    }
}
