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
use bgp_vpn::account::{AccountRequest, DeniedAction, Quota};
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
    /// Limits of the region, as far as these credentials may read them. Read once in the life of
    /// the provider process.
    pub async fn quota_limits(&self, ctx: &CallContext) -> BTreeMap<Quota, u32> {
        let Some(client) = self.quotas() else {
            return BTreeMap::new();
        };
        let limits = self.quota_cache().get_or_init(|| async {
            let reads = Quota::AWS.into_iter().filter_map(|quota| {
                let (service, code) = quota.service_quota()?;
                Some(async move {
                    let send = || {
                        client
                            .get_service_quota()
                            .service_code(service)
                            .quota_code(code)
                            .send()
                    };
                    let answer = self
                        .with_retry(ctx, RetryPolicy::READ, "GetServiceQuota", code, send)
                        .await;
                    Some((quota, limit_of(answer.ok()?.quota()?.value()?)?))
                })
            });
            futures::future::join_all(reads)
                .await
                .into_iter()
                .flatten()
                .collect()
        });
        limits.await.clone()
    }

    /// The actions that a create needs and these credentials may not use, tags included.
    pub async fn denied_actions(
        &self,
        ctx: &CallContext,
        ask: &AccountRequest,
        tags: &Tags,
    ) -> Vec<DeniedAction> {
        let tagged = |kind| tag_specification(kind, tags);
        let vpc = async {
            let send = || {
                let call = self.client().create_vpc().cidr_block(SAMPLE_NETWORK);
                call.set_tag_specifications(tagged(ResourceType::Vpc))
                    .dry_run(true)
                    .send()
            };
            let sent = self.with_retry(ctx, RetryPolicy::READ, "CreateVpc", "a dry run", send);
            denial("ec2:CreateVpc", sent.await.err())
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
            denial("ec2:CreateVpnGateway", sent.await.err())
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
            denial("ec2:CreateCustomerGateway", sent.await.err())
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

/// What a dry run says: only a denial counts. Other failures are those of the apply itself, or of
/// the sample values.
fn denial(action: &'static str, answer: Option<Error>) -> Option<DeniedAction> {
    match answer? {
        error if error.code() == ALLOWED => None,
        Error::Denied(context) => Some(DeniedAction {
            action,
            message: context.message.clone(),
        }),
        _ => None,
    }
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
