//! Azure has to rekey accelerated tunnels: what a plan makes of the policy then.

use super::core::Core;
use super::{VNET, made, nine_lines, with};
use bgp_vpn::tunnel::TunnelKey;
use terraform_plugin::{Diagnostic, Value};

fn on_transit() -> Value {
    Value::object([
        ("name", Value::from("prod")),
        (
            "azure",
            Value::object([("resource_group_name", "g"), ("virtual_network_id", VNET)]),
        ),
        ("aws", Value::object([("transit_gateway_id", "tgw-1")])),
    ])
}

fn accelerated() -> Value {
    with(on_transit(), "aws.enable_acceleration", true)
}

fn at(value: &Value, path: &str) -> Value {
    value.at(&path.into()).clone()
}

#[tokio::test]
async fn reject_policies_that_let_aws_rekey_first() {
    for (attribute, value) in [
        ("preset", Value::from("cloud_default")),
        ("ike_lifetime_seconds", 27_000_u32.into()),
        ("ipsec_lifetime_seconds", 1_199_u32.into()),
    ] {
        let path = format!("ipsec_policy.{attribute}");
        let plan = Core::new()
            .plan(&with(accelerated(), &path, value.clone()))
            .await;
        let errors = plan.diagnostics.iter().filter(|it| it.is_error());
        let errors: Vec<&Diagnostic> = errors.collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].path.as_ref().unwrap().to_string(), path);
        assert!(errors[0].detail.contains("Azure initiates"), "{errors:?}");
        let plain = Core::new().plan(&with(nine_lines(), &path, value)).await;
        assert!(!plain.diagnostics.has_errors(), "{:?}", plain.diagnostics);
    }
    let shortest = with(
        accelerated(),
        "ipsec_policy.ipsec_lifetime_seconds",
        1_200_u32,
    );
    let plan = Core::new().plan(&shortest).await;
    assert!(!plan.diagnostics.has_errors(), "{:?}", plan.diagnostics);
    let warnings = plan
        .diagnostics
        .iter()
        .filter(|it| it.detail.contains("28800 s"));
    assert_eq!(warnings.count(), 1, "IKE cannot be ensured");
}

/// Switching acceleration on and off moves both lifetimes, and a longer Azure lifetime is corrected.
#[tokio::test]
async fn lifetimes_follow_acceleration() {
    let mut core = made(&on_transit()).await;
    for (config, ike, azure) in [
        (on_transit(), 27_000, 27_000),
        (accelerated(), 28_800, 2_700),
    ] {
        let diagnostics = core.apply(&config).await;
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let lifetime = at(&core.state, "ipsec_policy.ike_lifetime_seconds");
        assert_eq!(lifetime, Value::from(ike));
        assert_eq!(
            at(&core.state, "ipsec_policy.preset").as_str(),
            Some("strong")
        );
        let there = core.clouds.there.lock().unwrap();
        for key in TunnelKey::ALL {
            let connection = there.azure.connections.get(key).as_ref().unwrap();
            let policy = connection.policy.as_ref().unwrap();
            assert_eq!(policy.sa_life_time_seconds, azure, "{key}");
        }
    }
    let off = with(on_transit(), "aws.enable_acceleration", false);
    let plan = core.plan(&off).await;
    let lifetime = at(&plan.planned, "ipsec_policy.ike_lifetime_seconds");
    assert_eq!(lifetime, Value::from(27_000));
}

/// The plan with the known value must not contradict the plan that was shown.
#[tokio::test]
async fn lifetime_is_unknown_while_acceleration_is() {
    let config = with(on_transit(), "aws.enable_acceleration", Value::unknown());
    let plan = Core::new().plan(&config).await;
    let lifetime = at(&plan.planned, "ipsec_policy.ike_lifetime_seconds");
    assert!(!lifetime.is_known());
    let fixed = at(&plan.planned, "ipsec_policy.ipsec_lifetime_seconds");
    assert_eq!(fixed, Value::from(3_600));
}
