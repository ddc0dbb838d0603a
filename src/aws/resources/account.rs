//! What an account may do and may have: quotas of its region, and permissions by dry run.
//!
//! A dry run checks permissions and changes nothing. EC2 answers `DryRunOperation` if the call
//! would be allowed.

use super::tag_specification;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types::{GatewayType, ResourceType};
use bgp_vpn::account::{AccountRequest, DryRun, Quota};
use bgp_vpn::types::Tags;
use std::collections::BTreeMap;

/// The code with which EC2 says that a dry run would have been allowed.
const ALLOWED: &str = "DryRunOperation";
/// A network that a dry run names. It is reserved for documentation (RFC 5737).
const SAMPLE_NETWORK: &str = "192.0.2.0/24";
/// An address that a dry run names. It is reserved for documentation (RFC 5737).
const SAMPLE_ADDRESS: &str = "192.0.2.1";
const SAMPLE_ASN: i32 = 65_000;

impl Ec2 {
    /// Limits of the region. Read once in the life of the provider process; one that cannot be read
    /// is left out.
    ///
    /// # Errors
    /// `Denied` where these credentials may not read quotas.
    pub async fn quota_limits(&self, ctx: &CallContext) -> Result<BTreeMap<Quota, u32>, Error> {
        let Some(client) = self.quotas() else {
            return Ok(BTreeMap::new());
        };
        let read = || async {
            let reads = Quota::AWS.into_iter().filter_map(|quota| {
                let (service, code) = quota.service_quota()?;
                Some(async move {
                    let send = || {
                        let call = client.get_service_quota();
                        call.service_code(service).quota_code(code).send()
                    };
                    let operation = "GetServiceQuota";
                    let sent = self.with_retry(ctx, RetryPolicy::READ, operation, code, send);
                    sent.await.map(|answer| {
                        let limit = answer.quota().and_then(|quota| limit_of(quota.value()?));
                        limit.map(|limit| (quota, limit))
                    })
                })
            });
            let mut limits = BTreeMap::new();
            for read in futures::future::join_all(reads).await {
                match read {
                    Ok(limit) => limits.extend(limit),
                    Err(error @ Error::Denied(_)) => return Err(error),
                    Err(_) => {}
                }
            }
            Ok(limits)
        };
        self.quota_cache().get_or_try_init(read).await.cloned()
    }

    /// Tries the actions that a create needs, tags included. An answer that says nothing about
    /// permissions is left out.
    pub async fn dry_runs(
        &self,
        ctx: &CallContext,
        ask: &AccountRequest,
        tags: &Tags,
    ) -> Vec<DryRun> {
        let tagged = |kind| tag_specification(kind, tags);
        let vpc = async {
            let send = || {
                let call = self.client().create_vpc().cidr_block(SAMPLE_NETWORK);
                call.set_tag_specifications(tagged(ResourceType::Vpc))
                    .dry_run(true)
                    .send()
            };
            let sent = self.with_retry(ctx, RetryPolicy::READ, "CreateVpc", "a dry run", send);
            answer("ec2:CreateVpc", sent.await.err())
        };
        let gateway = async {
            let send = || {
                let call = self.client().create_vpn_gateway();
                call.r#type(GatewayType::Ipsec1)
                    .set_tag_specifications(tagged(ResourceType::VpnGateway))
                    .dry_run(true)
                    .send()
            };
            let sent = self.with_retry(
                ctx,
                RetryPolicy::READ,
                "CreateVpnGateway",
                "a dry run",
                send,
            );
            answer("ec2:CreateVpnGateway", sent.await.err())
        };
        let customer = async {
            let send = || {
                let call = self.client().create_customer_gateway();
                call.r#type(GatewayType::Ipsec1)
                    .bgp_asn(SAMPLE_ASN)
                    .ip_address(SAMPLE_ADDRESS)
                    .set_tag_specifications(tagged(ResourceType::CustomerGateway))
                    .dry_run(true)
                    .send()
            };
            let sent = self.with_retry(
                ctx,
                RetryPolicy::READ,
                "CreateCustomerGateway",
                "a dry run",
                send,
            );
            answer("ec2:CreateCustomerGateway", sent.await.err())
        };
        let (vpc, gateway, customer) = futures::join!(
            run_if(ask.creates_vpc, vpc),
            run_if(ask.creates_vpn_gateway, gateway),
            run_if(ask.creates_aws_side, customer),
        );
        [vpc, gateway, customer].into_iter().flatten().collect()
    }
}

async fn run_if<T>(needed: bool, check: impl Future<Output = Option<T>>) -> Option<T> {
    if needed { check.await } else { None }
}

/// What a dry run says. Failures that are no denial are those of the apply itself, or of the sample
/// values.
fn answer(action: &'static str, error: Option<Error>) -> Option<DryRun> {
    let denial = match error? {
        error if error.code() == ALLOWED => None,
        Error::Denied(context) => Some(context.message.clone()),
        _ => return None,
    };
    Some(DryRun { action, denial })
}

/// Service Quotas returns limits as floating-point numbers.
fn limit_of(value: f64) -> Option<u32> {
    let whole = value.is_finite() && (0.0..=f64::from(u32::MAX)).contains(&value);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked"
    )]
    whole.then_some(value as u32)
}
