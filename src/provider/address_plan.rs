//! `provider::awsazure::address_plan(slot)`: the addresses inside the four tunnels, without any
//! cloud.

use async_trait::async_trait;
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeMap;
use terraform_plugin::{Function, FunctionError, Parameter, Signature, Type, Value};

/// The function.
pub struct AddressPlan;

/// What a plan knows of each tunnel before anything is created, in addition to its key: attributes
/// of the resource's `tunnels` with their types.
pub fn planned_types() -> [(&'static str, Type); 5] {
    [
        ("azure_instance", Type::Number),
        ("aws_tunnel", Type::Number),
        ("inside_cidr", Type::String),
        ("aws_bgp_ip", Type::String),
        ("azure_bgp_ip", Type::String),
    ]
}

/// The values of [`planned_types`] for one tunnel.
pub fn planned_values(key: TunnelKey, inside: InsideCidr) -> BTreeMap<String, Value> {
    let values = [
        (
            "azure_instance",
            Value::from(if key.instance.index() == 0 { 0_u8 } else { 1 }),
        ),
        ("aws_tunnel", Value::from(key.number)),
        ("inside_cidr", Value::from(inside.to_string())),
        ("aws_bgp_ip", Value::from(inside.aws_ip().to_string())),
        ("azure_bgp_ip", Value::from(inside.azure_ip().to_string())),
    ];
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[async_trait]
impl Function for AddressPlan {
    fn signature(&self) -> Signature {
        Signature {
            parameters: vec![Parameter::new(
                "slot",
                Type::Number,
                "Block of inside addresses, 0 to 31, as `slot` of `awsazure_bgp_vpn`.",
            )],
            variadic: None,
            result: Type::map(Type::object(planned_types())),
            summary: "Inside addresses of the four tunnels of a link".to_owned(),
            description:
                "Returns the four inside CIDRs of a slot with the BGP addresses of both ends, with the keys of `tunnels` of \
                 `awsazure_bgp_vpn`: `instance0_tunnel1`, `instance0_tunnel2`, `instance1_tunnel1`, `instance1_tunnel2`. \
                 Slot 0 has the addresses of Microsoft's tutorial; each slot starts 8 addresses after the previous one. The \
                 function contacts no endpoint, so firewall rules and monitoring can be planned before a gateway exists."
                    .to_owned(),
        }
    }

    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let given = arguments.first().and_then(Value::as_number);
        let slot = given
            .and_then(|number| number.as_u64())
            .and_then(Slot::new)
            .ok_or_else(|| {
                let given = given.map_or_else(|| "not a number".to_owned(), ToString::to_string);
                FunctionError::argument(
                    0,
                    format!("slot must be a whole number from 0 to 31, not {given}"),
                )
            })?;
        let cidrs = slot.inside_cidrs();
        Ok(Value::map(cidrs.iter().map(|(key, cidr)| {
            (key.to_string(), Value::Object(planned_values(key, *cidr)))
        })))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use terraform_plugin::Number;

    #[tokio::test]
    async fn slot_1_is_8_addresses_above_slot_0() {
        let plan = AddressPlan.call(vec![Value::from(1_u8)]).await.unwrap();
        let tunnel = plan.get("instance1_tunnel2");
        let text = |name: &str| tunnel.get(name).as_str().unwrap().to_owned();
        assert_eq!(text("inside_cidr"), "169.254.22.12/30");
        assert_eq!(
            (text("aws_bgp_ip"), text("azure_bgp_ip")),
            ("169.254.22.13".into(), "169.254.22.14".into())
        );
        assert_eq!(
            (
                tunnel.get("azure_instance").as_u64(),
                tunnel.get("aws_tunnel").as_u64()
            ),
            (Some(1), Some(2))
        );
        assert_eq!(plan.as_map().unwrap().len(), 4);
    }

    #[tokio::test]
    async fn invalid_slot_error_names_argument() {
        for bad in ["32", "-1", "1.5"] {
            let error = AddressPlan
                .call(vec![Value::from(Number::parse(bad).unwrap())])
                .await
                .unwrap_err();
            assert_eq!(error.argument, Some(0));
            assert!(error.text.contains(bad), "{error}");
        }
    }
}
