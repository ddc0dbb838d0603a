//! Reads what account and subscription allow before a link is created. Every read is optional: one
//! that is denied, fails or takes too long is left out, because none of it is needed for a create.

use super::clients::{CloudClients, OperationContext};
use crate::aws::{Ec2, Filter};
use crate::azure::Azure;
use crate::client::CallContext;
use bgp_vpn::account::{AccountRequest, AccountSnapshot, CountedObject, Quota, actions};
use bgp_vpn::ownership_tags::TAG_LINK;
use bgp_vpn::preflight::PreflightRequest;
use bgp_vpn::types::Tags;
use futures::future::join_all;
use futures::join;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

/// How long all these reads may take together. They run at the same time as the required reads, which take about
/// two seconds.
const TIME_LIMIT: Duration = Duration::from_secs(10);

pub(super) async fn read_account(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    account: &AccountRequest,
    operation: &OperationContext,
) -> AccountSnapshot {
    let operation = OperationContext::with_timeout(TIME_LIMIT, &operation.cancel);
    let ctx = operation.call_context();
    let aws = async {
        if !account.creates_aws_side || ask.region.is_none() {
            return AccountSnapshot::default();
        }
        match clouds.link_clients(ask.region.as_ref(), &operation).await {
            Ok(clients) => Box::pin(read_aws(&clients.ec2, account, &ctx)).await,
            Err(_) => AccountSnapshot::default(),
        }
    };
    let azure = async {
        if !account.creates_azure_gateway {
            return AccountSnapshot::default();
        }
        Box::pin(read_azure(&clouds.azure, account, &ctx)).await
    };
    let roles = async {
        let group = account.group.as_deref()?;
        Some(clouds.azure.role_permissions(group, &ctx).await)
    };
    let (aws, azure, roles) = join!(aws, azure, roles);
    let mut denied_roles = BTreeSet::new();
    let roles =
        roles.and_then(|found| optional(&mut denied_roles, actions::READ_PERMISSIONS, found));
    AccountSnapshot {
        objects: aws.objects,
        limits: aws.limits,
        dry_runs: aws.dry_runs,
        denied_reads: &(&aws.denied_reads | &azure.denied_reads) | &denied_roles,
        roles,
        ..azure
    }
}

/// The result of an optional read with this permission.
fn optional<T, E: Denial>(
    denied: &mut BTreeSet<&'static str>,
    action: &'static str,
    result: Result<T, E>,
) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::debug!(action, %error, "an optional check was left out");
            if error.is_denial() {
                denied.insert(action);
            }
        })
        .ok()
}

/// Errors that may say that a permission is missing.
trait Denial: Display {
    fn is_denial(&self) -> bool;
}

impl Denial for crate::aws::Error {
    fn is_denial(&self) -> bool {
        matches!(self, crate::aws::Error::Denied(_))
    }
}

impl Denial for crate::azure::Error {
    fn is_denial(&self) -> bool {
        matches!(self, crate::azure::Error::Denied(_))
    }
}

async fn read_aws(ec2: &Ec2, account: &AccountRequest, ctx: &CallContext) -> AccountSnapshot {
    // The permission to create an object may depend on its ownership tag.
    let tags = Tags::from([(TAG_LINK.to_owned(), "dry-run".to_owned())]);
    let all = Filter::default();
    let vpcs = async {
        match account.creates_vpc {
            true => Some(ec2.read_vpcs(ctx, &all).await),
            false => None,
        }
    };
    let gateways = async {
        match account.creates_vpn_gateway {
            true => Some(ec2.read_vpn_gateways(ctx, &all).await),
            false => None,
        }
    };
    let (vpcs, gateways, customers, connections, limits, dry_runs) = join!(
        vpcs,
        gateways,
        ec2.read_customer_gateways(ctx, &all),
        ec2.read_vpn_connections(ctx, &all),
        ec2.quota_limits(ctx),
        ec2.dry_runs(ctx, account, &tags),
    );
    let mut denied_reads = BTreeSet::new();
    let denied = &mut denied_reads;
    let vpcs = vpcs.and_then(|found| optional(denied, "ec2:DescribeVpcs", found));
    let gateways = gateways.and_then(|found| optional(denied, "ec2:DescribeVpnGateways", found));
    let customers = optional(denied, "ec2:DescribeCustomerGateways", customers);
    let connections = optional(denied, "ec2:DescribeVpnConnections", connections);
    let limits = optional(denied, actions::GET_QUOTA, limits).unwrap_or_default();
    fn counted<T>(found: &[T], of: impl Fn(&T) -> (String, Tags)) -> Vec<CountedObject> {
        found
            .iter()
            .map(|object| {
                let (id, tags) = of(object);
                CountedObject { id, tags }
            })
            .collect()
    }
    let mut objects = BTreeMap::new();
    if let Some(found) = vpcs {
        let of = |vpc: &crate::aws::model::Vpc| (vpc.id.to_string(), vpc.tags.clone());
        objects.insert(Quota::Vpcs, counted(&found, of));
    }
    if let Some(found) = gateways {
        let of = |gateway: &crate::aws::model::VpnGateway| {
            (gateway.id.to_string(), gateway.tags.clone())
        };
        objects.insert(Quota::VpnGateways, counted(&found, of));
    }
    if let Some(found) = customers {
        let of = |gateway: &crate::aws::model::CustomerGateway| {
            (gateway.id.to_string(), gateway.tags.clone())
        };
        objects.insert(Quota::CustomerGateways, counted(&found, of));
    }
    if let Some(found) = connections {
        let living: Vec<_> = found
            .into_iter()
            .filter(|vpn| vpn.state.is_living())
            .collect();
        let of = |vpn: &crate::aws::model::VpnConnection| (vpn.id.to_string(), vpn.tags.clone());
        objects.insert(Quota::VpnConnections, counted(&living, of));
    }
    AccountSnapshot {
        objects,
        limits,
        dry_runs,
        denied_reads,
        ..AccountSnapshot::default()
    }
}

async fn read_azure(azure: &Azure, account: &AccountRequest, ctx: &CallContext) -> AccountSnapshot {
    let group = account.group.as_deref();
    let usage = async {
        let location = account.location.as_deref()?;
        Some(azure.public_ip_usage(location, ctx).await)
    };
    let subjects = account.location.iter().flat_map(|location| {
        account
            .resources
            .iter()
            .map(move |subject| (location, subject))
    });
    let policies = join_all(
        subjects.map(|(location, subject)| azure.policy_denials(group, location, subject, ctx)),
    );
    let (provider, usage, locks, policies) = join!(
        azure.network_provider(ctx),
        usage,
        azure.scope_locks(group, ctx),
        policies
    );
    let mut denied_reads = BTreeSet::new();
    let denied = &mut denied_reads;
    let provider = optional(denied, actions::READ_PROVIDER, provider);
    let usage = usage.and_then(|usage| optional(denied, actions::READ_USAGES, usage));
    let locks = optional(denied, actions::READ_LOCKS, locks);
    let policies: Vec<_> = policies
        .into_iter()
        .filter_map(|found| optional(denied, actions::CHECK_POLICIES, found))
        .flatten()
        .collect();
    AccountSnapshot {
        network_provider: provider.flatten(),
        public_ips: usage.flatten(),
        locks: locks.unwrap_or_default(),
        policy_denials: policies,
        denied_reads,
        ..AccountSnapshot::default()
    }
}
