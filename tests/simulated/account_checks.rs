//! What account and subscription do not allow, reported by the plan: before anything is created.

use super::correction_regressions::azure_network;
use awsazure_sandbox::authorization::Role;
use awsazure_sandbox::http::{Outcome, Request};
use serde_json::{Value, json};
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::scripted_run::scripted;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, complete_link, config};

const NOT_ALLOWED_TYPES: &str = "6c112d4e-5bc7-47ae-a041-ea2d9dccd749";

/// A write of an administrator to Azure.
async fn arm(sim: &Sim, method: &str, path: &str, body: Value) {
    let settings = sim.sandbox.world().settings.clone();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
        settings.client_id, settings.client_secret
    );
    let request =
        |method: &str, path: String, query: &str, headers: Vec<(String, String)>, body: String| {
            Request {
                method: method.to_owned(),
                base_url: "https://management.azure.com".to_owned(),
                path,
                query: query.to_owned(),
                headers,
                body: body.into_bytes(),
            }
        };
    let form_type = (
        "content-type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    let login = request(
        "POST",
        format!("/{}/oauth2/v2.0/token", settings.tenant_id),
        "",
        vec![form_type],
        form,
    );
    let Outcome::Response(token) = sim.sandbox.call(login).await else {
        panic!("no token")
    };
    let token: Value = serde_json::from_slice(&token.body).unwrap();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let headers = vec![
        ("authorization".to_owned(), bearer),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    let call = request(
        method,
        format!("/subscriptions/{}{path}", settings.subscription_id),
        "api-version=2022-06-01",
        headers,
        if body.is_null() {
            String::new()
        } else {
            body.to_string()
        },
    );
    let Outcome::Response(answer) = sim.sandbox.call(call).await else {
        panic!("no answer")
    };
    assert!(
        answer.status < 300,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

/// Whether an operation created anything.
fn created(sim: &Sim) -> Vec<String> {
    let writes = |operation: &str| {
        operation.starts_with("Create") || operation.starts_with("Put") && operation != "PutLock"
    };
    let calls = sim.sandbox.calls();
    let writes = calls.iter().filter(|call| writes(&call.operation));
    writes
        .map(|call| call.operation.clone())
        .filter(|operation| operation != "PutPolicyAssignment")
        .collect()
}

/// An apply whose plan fails at this attribute and creates nothing.
async fn plan_fails(sim: &Sim, link: Value, attribute: &str) -> String {
    let mut core = TerraformCore::new(sim, config(&link), Stored::default());
    let error = core.run(&Run::Apply).await.unwrap_err();
    assert_eq!(core.failed_at, [attribute], "{error}");
    assert_eq!(created(sim), Vec::<String>::new());
    error
}

#[test]
fn unregistered_resource_provider_is_reported_at_plan() {
    simulated(|| async {
        let sim = Sim::new(1);
        arm(
            &sim,
            "POST",
            "/providers/Microsoft.Network/unregister",
            Value::Null,
        )
        .await;
        let error = plan_fails(&sim, complete_link(), "azure.resource_group_name").await;
        assert!(error.contains("az provider register"), "{error}");
    });
}

#[test]
fn denying_policy_is_reported_at_plan_with_its_assignment() {
    simulated(|| async {
        let sim = Sim::new(2);
        let assignment = "/providers/Microsoft.Authorization/policyAssignments/no-public-ips";
        let definition =
            format!("/providers/Microsoft.Authorization/policyDefinitions/{NOT_ALLOWED_TYPES}");
        let types = json!({"value": ["Microsoft.Network/publicIPAddresses"]});
        let policy = json!({"properties": {"policyDefinitionId": definition,
            "parameters": {"listOfResourceTypesNotAllowed": types}}});
        arm(&sim, "PUT", assignment, policy).await;
        let error = plan_fails(&sim, complete_link(), "azure.resource_group_name").await;
        assert!(error.to_lowercase().contains("no-public-ips"), "{error}");
    });
}

#[test]
fn read_only_lock_of_subscription_is_reported_at_plan() {
    simulated(|| async {
        let sim = Sim::new(3);
        let lock = "/providers/Microsoft.Authorization/locks/frozen";
        arm(
            &sim,
            "PUT",
            lock,
            json!({"properties": {"level": "ReadOnly"}}),
        )
        .await;
        let error = plan_fails(&sim, complete_link(), "azure.resource_group_name").await;
        assert!(error.contains("locks/frozen"), "{error}");
    });
}

#[test]
fn lock_against_deletion_does_not_stop_create() {
    simulated(|| async {
        let sim = Sim::new(4);
        let lock = "/providers/Microsoft.Authorization/locks/keep";
        arm(
            &sim,
            "PUT",
            lock,
            json!({"properties": {"level": "CanNotDelete"}}),
        )
        .await;
        let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
        assert_eq!(core.run(&Run::Apply).await, Ok(()));
    });
}

#[test]
fn used_up_public_ips_are_reported_at_plan() {
    simulated(|| async {
        let sim = Sim::new(5);
        *sim.sandbox.world().azure.public_ip_limit() = 1;
        let error = plan_fails(&sim, complete_link(), "azure.location").await;
        assert!(error.contains("limit is 1"), "{error}");
    });
}

#[test]
fn used_up_aws_quotas_are_reported_at_plan() {
    simulated(|| async {
        for quota in 0..4 {
            let sim = Sim::new(6);
            {
                let quotas = &mut sim.sandbox.world().aws.quotas;
                *[
                    &mut quotas.vpcs,
                    &mut quotas.vpn_gateways,
                    &mut quotas.customer_gateways,
                    &mut quotas.vpn_connections,
                ][quota] = if quota < 2 { 0 } else { 1 };
            }
            plan_fails(&sim, complete_link(), "aws.region").await;
        }
    });
}

/// A raised quota is read, so it causes no false error.
#[test]
fn raised_quota_counts() {
    simulated(|| async {
        let sim = Sim::new(7);
        sim.sandbox.world().aws.quotas.vpcs = 20;
        for range in 10..16 {
            create_vpc(&sim, &format!("10.{range}.0.0/16")).await;
        }
        let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
        assert_eq!(core.run(&Run::Apply).await, Ok(()));
    });
}

async fn create_vpc(sim: &Sim, range: &str) {
    let clients = sim.clouds.link_clients(None, &sim.limits()).await.unwrap();
    let tags = bgp_vpn::types::Tags::from([("range".to_owned(), range.to_owned())]);
    let own = awsazure::aws::IdempotencyKey::new(&tags);
    let range = range.parse().unwrap();
    let ctx = sim.limits().call_context();
    clients
        .ec2
        .create_vpc(&ctx, range, &tags, own)
        .await
        .unwrap();
}

/// Applies with dry runs of these operations denied, and returns the warnings.
async fn warnings_with_denied(seed: u64, operations: &[&str]) -> String {
    let sim = Sim::new(seed);
    for operation in operations {
        let rule = format!("fail call 1 of aws DryRun{operation}: forever 403");
        sim.sandbox.world().faults.add(rule.parse().unwrap());
    }
    let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
    assert_eq!(core.run(&Run::Apply).await, Ok(()));
    core.messages.join("\n")
}

/// Another role may run the apply, so a denied dry run is a warning and the apply continues.
#[test]
fn denied_dry_run_is_a_warning_with_the_action() {
    simulated(|| async {
        for operation in ["CreateVpc", "CreateVpnGateway", "CreateCustomerGateway"] {
            let shown = warnings_with_denied(8, &[operation]).await;
            assert!(shown.contains(&format!("ec2:{operation}")), "{shown}");
        }
        let operations = ["CreateVpc", "CreateVpnGateway", "CreateCustomerGateway"];
        let shown = warnings_with_denied(8, &operations).await;
        assert!(
            !shown.contains("ec2:"),
            "a role that only reads is intended: {shown}"
        );
    });
}

/// The roles in an existing resource group are read. What they lack for the apply is a warning.
#[test]
fn plan_names_missing_azure_actions() {
    for (not_actions, expected) in [
        (vec![], None),
        (
            vec!["Microsoft.Network/connections/write"],
            Some("connections/write"),
        ),
        (vec!["*/write"], None),
    ] {
        scripted(async move |run| {
            let role =
                json!({"actions": ["*"], "notActions": not_actions, "assignableScopes": ["/"]});
            run.sim.sandbox.world().authorization.azure =
                Some(Role::parse(&role.to_string()).unwrap());
            run.configure(&json!({
                "name": "prod",
                "azure": azure_network(run.environment),
                "aws": {"vpc": {"cidr_block": "10.2.0.0/16"}},
            }));
            // A plan alone, which is not empty.
            assert!(run.core.plans_empty().await.is_err());
            let shown = run.core.messages.join("\n");
            match expected {
                Some(action) => assert!(shown.contains(action), "{shown}"),
                None => assert!(!shown.contains("Microsoft.Network/"), "{shown}"),
            }
        });
    }
}

/// Every optional read may be denied or fail.
#[test]
fn create_link_without_permission_for_checks() {
    simulated(|| async {
        for failure in ["403", "hang", "503"] {
            let sim = Sim::new(9);
            let reads = [
                "azure RegisterProvider",
                "azure ListUsages",
                "azure ListLocks",
                "azure CheckPolicyRestrictions",
                "aws GetServiceQuota",
                "aws DryRunCreateVpc",
            ];
            for read in reads {
                let rule = format!("fail call 1 of {read}: forever {failure}");
                sim.sandbox.world().faults.add(rule.parse().unwrap());
            }
            let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
            assert_eq!(core.run(&Run::Apply).await, Ok(()), "{failure}");
            let shown = core.messages.join("\n");
            let reads = [
                "servicequotas:GetServiceQuota",
                "Microsoft.Network/locations/usages/read",
                "Microsoft.Resources/subscriptions/providers/read",
                "Microsoft.Authorization/locks/read",
                "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
            ];
            for read in reads {
                assert_eq!(
                    shown.contains(read),
                    failure == "403",
                    "{failure}, {read}: {shown}"
                );
            }
        }
    });
}

/// A create is killed, and the user changes the resource group: the plan of the other link names what
/// the first one left.
#[test]
fn objects_of_killed_create_in_other_group_are_listed() {
    scripted(async |run| {
        let group = |name: &str| {
            let mut link = complete_link();
            link["azure"]["resource_group_name"] = json!(name);
            link
        };
        run.configure(&group("one-rg"));
        run.apply_killed("fail call 1 of azure PutConnection: once hang", false)
            .await;
        run.configure(&group("two-rg"));
        run.core.new_process();
        assert_eq!(run.core.run(&Run::Apply).await, Ok(()));
        let shown = run.core.messages.join("\n");
        assert!(shown.contains("left these objects: "), "{shown}");
    });
}

/// An existing link makes none of these calls.
#[test]
fn plan_of_existing_link_checks_no_account() {
    simulated(|| async {
        let sim = Sim::new(10);
        let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
        assert_eq!(core.run(&Run::Apply).await, Ok(()));
        let before = sim.sandbox.calls().len();
        core.new_process();
        assert_eq!(core.plans_empty().await, Ok(()));
        let calls = sim.sandbox.calls();
        let checks = calls.iter().skip(before).filter(|call| {
            let operation = call.operation.as_str();
            operation.starts_with("DryRun")
                || [
                    "ListUsages",
                    "ListLocks",
                    "ListPermissions",
                    "CheckPolicyRestrictions",
                    "GetServiceQuota",
                ]
                .contains(&operation)
        });
        assert_eq!(checks.count(), 0);
    });
}
