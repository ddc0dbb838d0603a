//! What a subscription allows: the resource provider Microsoft.Network, usage of quotas, and
//! restrictions by policy.

use super::{items, number, text, texts};
use crate::account::{NetworkProvider, PolicyDenial, PolicySubject, RolePermissions, Usage};
use serde_json::{Value, json};

/// Name of the quota of Standard public IPs in the usages of a location. The second name is that of
/// newer subscriptions (2026-11, Azure quota documentation).
const PUBLIC_IP_USAGES: [&str; 2] = [
    "StandardSkuPublicIpAddresses",
    "IPv4StandardSkuPublicIpAddresses",
];

/// The resource provider Microsoft.Network; None if the document does not state its registration.
pub fn network_provider(doc: &Value) -> Option<NetworkProvider> {
    let gateways = items(doc, "/resourceTypes").find(|kind| {
        text(kind, "/resourceType")
            .is_some_and(|name| name.eq_ignore_ascii_case("virtualNetworkGateways"))
    });
    Some(NetworkProvider {
        state: text(doc, "/registrationState")?.to_owned(),
        gateway_locations: gateways
            .map(|kind| texts(kind, "/locations"))
            .unwrap_or_default(),
    })
}

/// Usage of Standard public IPs among the usages of a location. The one with the least room counts.
pub fn public_ip_usage(usages: &[Value]) -> Option<Usage> {
    let of_public_ips = |doc: &&Value| {
        text(doc, "/name/value").is_some_and(|name| {
            PUBLIC_IP_USAGES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        })
    };
    usages
        .iter()
        .filter(of_public_ips)
        .filter_map(|doc| {
            Some(Usage {
                used: number(doc, "/currentValue")?,
                limit: number(doc, "/limit")?,
            })
        })
        .min_by_key(|usage| usage.limit.saturating_sub(usage.used))
}

/// The roles of the credentials, from the permissions of a resource group.
pub fn role_permissions(entries: &[Value]) -> Vec<RolePermissions> {
    let texts = |doc: &Value, path: &str| {
        let found = items(doc, path).filter_map(Value::as_str);
        found.map(str::to_owned).collect()
    };
    let role = |doc: &Value| RolePermissions {
        actions: texts(doc, "/actions"),
        not_actions: texts(doc, "/notActions"),
    };
    entries.iter().map(role).collect()
}

/// Asks which assigned policies deny a resource at a location.
pub fn policy_question(subject: &PolicySubject, location: &str, api_version: &str) -> Value {
    let mut content = subject.content.clone();
    super::put(&mut content, &[], "location", json!(location));
    super::put(&mut content, &[], "type", json!(subject.resource_type));
    json!({"resourceDetails": {"resourceContent": content, "apiVersion": api_version}})
}

/// The policies that deny the resource of a question. Policies with other effects are left out by
/// Azure.
pub fn policy_denials(subject: &PolicySubject, answer: &Value) -> Vec<PolicyDenial> {
    items(answer, "/contentEvaluationResult/policyEvaluations")
        .filter(|evaluation| {
            text(evaluation, "/evaluationResult")
                .is_some_and(|result| result.eq_ignore_ascii_case("NonCompliant"))
        })
        .filter(|evaluation| {
            text(evaluation, "/effectDetails/policyEffect")
                .is_none_or(|effect| effect.eq_ignore_ascii_case("deny"))
        })
        .filter_map(|evaluation| {
            Some(PolicyDenial {
                resource_type: subject.resource_type.to_owned(),
                assignment: text(evaluation, "/policyInfo/policyAssignmentId")?.to_owned(),
                reason: text(evaluation, "/evaluationDetails/reason")
                    .unwrap_or_default()
                    .trim_end_matches('.')
                    .to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn read_registration_and_locations() {
        let doc = json!({"registrationState": "NotRegistered", "resourceTypes": [
            {"resourceType": "virtualNetworks", "locations": ["West US"]},
            {"resourceType": "virtualNetworkGateways", "locations": ["West Europe"]}]});
        let provider = network_provider(&doc).unwrap();
        assert_eq!(provider.state, "NotRegistered");
        assert_eq!(provider.gateway_locations, ["West Europe"]);
        assert_eq!(network_provider(&json!({"resourceTypes": []})), None);
    }

    #[test]
    fn read_usage_with_least_room() {
        let usage = |name: &str, used: u32, limit: u32| json!({"name": {"value": name}, "currentValue": used, "limit": limit});
        let usages = [
            usage("VirtualNetworks", 50, 50),
            usage("StandardSkuPublicIpAddresses", 3, 1000),
            usage("IPv4StandardSkuPublicIpAddresses", 19, 20),
        ];
        let found = public_ip_usage(&usages).unwrap();
        assert_eq!((found.used, found.limit), (19, 20));
        assert_eq!(public_ip_usage(&usages[..1]), None);
    }

    #[test]
    fn only_denials_count() {
        let subject = PolicySubject {
            resource_type: "Microsoft.Network/publicIPAddresses",
            content: json!({"tags": {}}),
        };
        let evaluation = |effect: &str, result: &str| {
            json!({"policyInfo": {"policyAssignmentId": "/a"}, "evaluationResult": result,
                "effectDetails": {"policyEffect": effect}, "evaluationDetails": {"reason": "No public IPs."}})
        };
        let answer = json!({"contentEvaluationResult": {"policyEvaluations": [
            evaluation("Audit", "NonCompliant"), evaluation("Deny", "Compliant"), evaluation("Deny", "NonCompliant")]}});
        let found = policy_denials(&subject, &answer);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].reason, "No public IPs");
        let question = policy_question(&subject, "westus", "2025-01-01");
        assert_eq!(
            text(&question, "/resourceDetails/resourceContent/type"),
            Some("Microsoft.Network/publicIPAddresses")
        );
    }
}
