//! Options of a tunnel: the call that changes them, and the same options in EC2's words and back.

use super::Filter;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{
    LOG_FORMAT, LogGroup, Logs, Phase, State, TunnelOptions, VpnConnection, VpnConnectionId,
};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types as sdk;
use std::net::Ipv4Addr;

impl Ec2 {
    /// Starts changing one tunnel: only what is set in `options` is sent. The tunnel's endpoint is
    /// replaced, which takes minutes and keeps its outside address, unless nothing but the
    /// lifecycle control changes; `change_tunnel` waits for it. Where another change of the
    /// connection is under way, that is waited out first.
    ///
    /// # Errors
    /// See `Error`. No message holds a key.
    pub async fn modify_tunnel(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        outside_ip: Ipv4Addr,
        options: &TunnelOptions,
    ) -> Result<(), Error> {
        let send = || {
            let call = self
                .client()
                .modify_vpn_tunnel_options()
                .vpn_connection_id(&id.0);
            let call = call
                .vpn_tunnel_outside_ip_address(outside_ip.to_string())
                .tunnel_options(changed_to(options));
            call.set_pre_shared_key_storage(options.key_storage.map(|storage| storage.to_string()))
                .set_skip_tunnel_replacement(keeps_endpoint(options).then_some(true))
                .send()
        };
        // A lost answer: done where it is changing or has changed.
        let look = || async {
            let found = self.describe_vpn_connections(ctx, &Filter::id(id)).await?;
            // What cannot be seen is asked for again: the change in progress may be another user's.
            let done = found.iter().any(|connection| {
                let begun = connection.state == State::Modifying
                    || carries(connection, outside_ip, options);
                begun && shows(connection, outside_ip, options)
            });
            Ok(done.then_some(()))
        };
        let name = ("ModifyVpnTunnelOptions", format!("{id} at {outside_ip}"));
        let done = self
            .create_once(
                ctx,
                RetryPolicy::MODIFY,
                (name.0, &name.1),
                send,
                |_| Some(()),
                look,
            )
            .await;
        redact_keys(done, [options])
    }
}

/// Takes keys out of AWS's words, which may quote what they complain about.
pub(super) fn redact_keys<'a, T>(
    result: Result<T, Error>,
    options: impl IntoIterator<Item = &'a TunnelOptions>,
) -> Result<T, Error> {
    result.map_err(|mut error| {
        if let Some(context) = error.context_mut() {
            for key in options
                .into_iter()
                .filter_map(|options| options.key.as_ref())
            {
                context.message = context.message.replace(key.expose_secret(), "(the key)");
            }
        }
        error
    })
}

/// Both kinds are said, also the one that is off; a group and a format only of one that is on.
fn log_options(logs: &Logs) -> sdk::VpnTunnelLogOptionsSpecification {
    let (tunnel, bgp) = (logs.tunnel.as_ref(), logs.bgp.as_ref());
    let options = sdk::CloudWatchLogOptionsSpecification::builder()
        .log_enabled(tunnel.is_some())
        .set_log_group_arn(tunnel.map(|group| group.arn.clone()))
        .set_log_output_format(tunnel.map(|group| group.format.clone()))
        .bgp_log_enabled(bgp.is_some())
        .set_bgp_log_group_arn(bgp.map(|group| group.arn.clone()))
        .set_bgp_log_output_format(bgp.map(|group| group.format.clone()));
    sdk::VpnTunnelLogOptionsSpecification::builder()
        .cloud_watch_log_options(options.build())
        .build()
}

/// Fills the SDK's two structures for tunnel options (of a create and of a change), which have the
/// same setters.
macro_rules! tunnel_options_builder {
    ($name:ident, $kind:ident) => {
        pub(super) fn $name(options: &TunnelOptions) -> sdk::$kind {
            fn all<T, V>(values: &[T], make: impl Fn(&T) -> V) -> Option<Vec<V>> {
                (!values.is_empty()).then(|| values.iter().map(make).collect())
            }
            fn number(number: Option<u32>) -> Option<i32> {
                number.and_then(|number| i32::try_from(number).ok())
            }
            let (one, two) = (&options.phase1, &options.phase2);
            sdk::$kind::builder()
                .set_tunnel_inside_cidr(options.inside_cidr.map(|cidr| cidr.to_string()))
                .set_pre_shared_key(
                    options
                        .key
                        .as_ref()
                        .map(|key| key.expose_secret().to_owned()),
                )
                .set_startup_action(options.startup_action.clone())
                .set_dpd_timeout_action(options.dpd_timeout_action.clone())
                .set_dpd_timeout_seconds(number(options.dpd_timeout_seconds))
                .set_ike_versions(all(&options.ike_versions, |word| {
                    sdk::IkeVersionsRequestListValue::builder()
                        .value(word)
                        .build()
                }))
                .set_phase1_encryption_algorithms(all(&one.encryption, |word| {
                    sdk::Phase1EncryptionAlgorithmsRequestListValue::builder()
                        .value(word)
                        .build()
                }))
                .set_phase1_integrity_algorithms(all(&one.integrity, |word| {
                    sdk::Phase1IntegrityAlgorithmsRequestListValue::builder()
                        .value(word)
                        .build()
                }))
                .set_phase1_dh_group_numbers(all(&one.dh_groups, |group| {
                    sdk::Phase1DhGroupNumbersRequestListValue::builder()
                        .set_value(number(Some(*group)))
                        .build()
                }))
                .set_phase1_lifetime_seconds(number(one.lifetime_seconds))
                .set_phase2_encryption_algorithms(all(&two.encryption, |word| {
                    sdk::Phase2EncryptionAlgorithmsRequestListValue::builder()
                        .value(word)
                        .build()
                }))
                .set_phase2_integrity_algorithms(all(&two.integrity, |word| {
                    sdk::Phase2IntegrityAlgorithmsRequestListValue::builder()
                        .value(word)
                        .build()
                }))
                .set_phase2_dh_group_numbers(all(&two.dh_groups, |group| {
                    sdk::Phase2DhGroupNumbersRequestListValue::builder()
                        .set_value(number(Some(*group)))
                        .build()
                }))
                .set_phase2_lifetime_seconds(number(two.lifetime_seconds))
                .set_log_options(options.logs.as_ref().map(log_options))
                .set_enable_tunnel_lifecycle_control(options.lifecycle_control)
                .build()
        }
    };
}

tunnel_options_builder!(made_with, VpnTunnelOptionsSpecification);
tunnel_options_builder!(changed_to, ModifyVpnTunnelOptionsSpecification);

/// Whether EC2 may leave the endpoint of the tunnel in place (`SkipTunnelReplacement`): it may
/// where nothing but the lifecycle control changes.
fn keeps_endpoint(options: &TunnelOptions) -> bool {
    let lifecycle_control = options.lifecycle_control;
    lifecycle_control.is_some()
        && *options
            == TunnelOptions {
                lifecycle_control,
                ..TunnelOptions::default()
            }
}

/// The options that EC2 shows: only what was set explicitly.
pub(in crate::aws) fn read_options(end: &sdk::TunnelOption) -> TunnelOptions {
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let words = |values: Vec<Option<&str>>| {
        values
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let numbers =
        |values: Vec<Option<i32>>| values.into_iter().filter_map(count).collect::<Vec<_>>();
    TunnelOptions {
        inside_cidr: None,
        key: None,
        key_storage: None,
        startup_action: end.startup_action().map(str::to_owned),
        dpd_timeout_action: end.dpd_timeout_action().map(str::to_owned),
        dpd_timeout_seconds: count(end.dpd_timeout_seconds()),
        ike_versions: words(end.ike_versions().iter().map(|one| one.value()).collect()),
        phase1: Phase {
            encryption: words(
                end.phase1_encryption_algorithms()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            integrity: words(
                end.phase1_integrity_algorithms()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            dh_groups: numbers(
                end.phase1_dh_group_numbers()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            lifetime_seconds: count(end.phase1_lifetime_seconds()),
        },
        phase2: Phase {
            encryption: words(
                end.phase2_encryption_algorithms()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            integrity: words(
                end.phase2_integrity_algorithms()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            dh_groups: numbers(
                end.phase2_dh_group_numbers()
                    .iter()
                    .map(|one| one.value())
                    .collect(),
            ),
            lifetime_seconds: count(end.phase2_lifetime_seconds()),
        },
        logs: end
            .log_options()
            .and_then(|options| options.cloud_watch_log_options())
            .map(logs),
        lifecycle_control: end.enable_tunnel_lifecycle_control(),
    }
}

/// A group that is named while its logs are off does not count.
fn logs(options: &sdk::CloudWatchLogOptions) -> Logs {
    let group = |on: Option<bool>, arn: Option<&str>, format: Option<&str>| {
        // CloudWatch's own spelling of a group ends with its streams.
        let arn = arn
            .filter(|_| on == Some(true))
            .map(|arn| arn.trim_end_matches(":*"))?;
        Some(LogGroup {
            arn: arn.to_owned(),
            format: format.unwrap_or(LOG_FORMAT).to_owned(),
        })
    };
    Logs {
        tunnel: group(
            options.log_enabled(),
            options.log_group_arn(),
            options.log_output_format(),
        ),
        bgp: group(
            options.bgp_log_enabled(),
            options.bgp_log_group_arn(),
            options.bgp_log_output_format(),
        ),
    }
}

/// Whether the tunnel at this outside address can be seen to have the key that `wanted` sets, if it
/// sets one.
pub(in crate::aws) fn shows(
    connection: &VpnConnection,
    outside_ip: Ipv4Addr,
    wanted: &TunnelOptions,
) -> bool {
    let tunnel = connection
        .tunnels
        .iter()
        .find(|tunnel| tunnel.outside_ip == outside_ip);
    wanted.key.is_none() || tunnel.is_some_and(|tunnel| tunnel.key.is_some())
}

/// Whether the tunnel at this outside address has all that `wanted` sets. A hidden key counts as
/// the right one.
pub(in crate::aws) fn carries(
    connection: &VpnConnection,
    outside_ip: Ipv4Addr,
    wanted: &TunnelOptions,
) -> bool {
    fn same<T: PartialEq>(has: &Option<T>, wants: &Option<T>) -> bool {
        wants.is_none() || has == wants
    }
    fn all<T: Ord + Clone>(has: &[T], wants: &[T]) -> bool {
        let sorted = |list: &[T]| {
            let mut list = list.to_vec();
            list.sort();
            list
        };
        wants.is_empty() || sorted(has) == sorted(wants)
    }
    connection
        .tunnels
        .iter()
        .filter(|tunnel| tunnel.outside_ip == outside_ip)
        .any(|tunnel| {
            let has = &tunnel.options;
            let phases = [(&has.phase1, &wanted.phase1), (&has.phase2, &wanted.phase2)];
            same(&tunnel.inside_cidr, &wanted.inside_cidr)
                && (tunnel.key.is_none() || same(&tunnel.key, &wanted.key))
                && same(&tunnel.key_storage, &wanted.key_storage)
                && wanted
                    .lifecycle_control
                    .is_none_or(|wants| has.lifecycle_control.unwrap_or_default() == wants)
                && wanted
                    .logs
                    .as_ref()
                    .is_none_or(|logs| *logs == has.logs.clone().unwrap_or_default())
                && same(&has.startup_action, &wanted.startup_action)
                && same(&has.dpd_timeout_action, &wanted.dpd_timeout_action)
                && same(&has.dpd_timeout_seconds, &wanted.dpd_timeout_seconds)
                && all(&has.ike_versions, &wanted.ike_versions)
                && phases.iter().all(|(has, wants)| {
                    all(&has.encryption, &wants.encryption)
                        && all(&has.integrity, &wants.integrity)
                        && all(&has.dh_groups, &wants.dh_groups)
                        && same(&has.lifetime_seconds, &wants.lifetime_seconds)
                })
        })
}
