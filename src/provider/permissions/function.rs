//! `provider::awsazure::required_permissions(config)`: the permissions of a link, without any cloud.

use super::{Documents, of_configuration};
use async_trait::async_trait;
use bgp_vpn::permissions::Phase;
use terraform_plugin::{Function, FunctionError, Parameter, Signature, Type, Value};

/// The function.
pub struct RequiredPermissions;

fn documents_type() -> Type {
    Type::object([
        ("aws_policy", Type::String),
        ("azure_role", Type::String),
        ("azure_actions", Type::list(Type::String)),
    ])
}

fn documents(configuration: &Value, phase: Phase) -> Value {
    let permissions = of_configuration(configuration, phase);
    let Documents {
        aws_policy,
        azure_role,
    } = Documents::of(&permissions, phase);
    Value::object([
        ("aws_policy", Value::from(aws_policy.to_string())),
        ("azure_role", Value::from(azure_role.to_string())),
        (
            "azure_actions",
            Value::list(permissions.azure.iter().map(|action| Value::from(*action))),
        ),
    ])
}

#[async_trait]
impl Function for RequiredPermissions {
    fn signature(&self) -> Signature {
        Signature {
            parameters: vec![Parameter {
                allow_unknown: true,
                ..Parameter::new(
                    "config",
                    Type::Dynamic,
                    "Arguments of an `awsazure_bgp_vpn` block as an object. Arguments that are left out are null.",
                )
            }],
            variadic: None,
            result: Type::map(documents_type()),
            summary: "IAM policy and Azure role that a link needs".to_owned(),
            description:
                "Returns the permissions of a link with this configuration: those of refresh, plan and import with the key `plan`, and those of \
                 create, update and destroy with the key `apply`. `aws_policy` is an IAM policy and `azure_role` a custom role, both as JSON; \
                 `azure_actions` are the actions of the role. An unknown value counts as set. The function contacts no endpoint. The \
                 guide `permissions` explains both documents."
                    .to_owned(),
        }
    }

    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let given = arguments.first().unwrap_or(&Value::Null);
        if given.is_known() && given.as_map().is_none() {
            return Err(FunctionError::argument(
                0,
                "config must be an object with the arguments of an awsazure_bgp_vpn block",
            ));
        }
        Ok(Value::map([
            ("plan", documents(given, Phase::Plan)),
            ("apply", documents(given, Phase::Apply)),
        ]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn function_returns_plan_and_apply() {
        let link = Value::object([
            ("name", Value::from("n")),
            ("azure", Value::object([("gateway_id", Value::unknown())])),
            ("aws", Value::object([("vpc_id", Value::from("vpc-1"))])),
        ]);
        let found = RequiredPermissions.call(vec![link]).await.unwrap();
        let policy = |phase: &str| {
            found
                .get(phase)
                .get("aws_policy")
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert!(policy("apply").contains("ec2:CreateVpnGateway"));
        assert!(policy("apply").contains("vpc/vpc-1"));
        assert!(!policy("plan").contains("Create"));
        assert!(
            RequiredPermissions
                .call(vec![Value::from("x")])
                .await
                .is_err()
        );
    }
}
