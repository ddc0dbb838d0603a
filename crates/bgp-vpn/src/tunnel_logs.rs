//! Where tunnels may write their logs: what can be refused without asking AWS.

use super::aws::partition_of;
use super::config::{Attr, TunnelLogsConfig};
use super::violation::{AttributeId, Violation, ViolationKind};

/// Everything that is wrong with `logs`.
pub fn check(config: &TunnelLogsConfig) -> Vec<Violation> {
    let kinds = [
        (&config.group, "log_group_arn", &config.format, "format"),
        (
            &config.bgp_group,
            "bgp_log_group_arn",
            &config.bgp_format,
            "bgp_format",
        ),
    ];
    let mut violations = Vec::new();
    for (group, group_name, format, format_name) in kinds {
        if let Attr::Known(arn) = group
            && !is_log_group(arn)
        {
            violations.push(Violation::error(
                AttributeId::Logs(group_name),
                ViolationKind::InvalidLogGroup(arn.clone()),
            ));
        }
        let Attr::Known(given) = format else { continue };
        if !matches!(given.as_str(), "json" | "text") {
            let problem = ViolationKind::NotOneOf {
                given: given.clone(),
                allowed: "json, text",
            };
            violations.push(Violation::error(AttributeId::Logs(format_name), problem));
        } else if group.is_null() {
            violations.push(Violation::error(
                AttributeId::Logs(format_name),
                ViolationKind::LogFormatWithoutGroup(group_name),
            ));
        }
    }
    violations
}

/// Log groups that are not in the region of the VPN connections, which EC2 rejects.
pub fn check_region(logs: &TunnelLogsConfig, region: &str) -> Vec<Violation> {
    let groups = [
        ("log_group_arn", &logs.group),
        ("bgp_log_group_arn", &logs.bgp_group),
    ];
    groups
        .into_iter()
        .filter_map(|(name, group)| {
            let arn = group.known().filter(|arn| is_log_group(arn))?;
            let of_group = arn.split(':').nth(3)?;
            (of_group != region).then(|| {
                Violation::error(
                    AttributeId::Logs(name),
                    ViolationKind::LogGroupInOtherRegion {
                        has: of_group.to_owned(),
                        needs: region.to_owned(),
                    },
                )
            })
        })
        .collect()
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, in the partition of the region.
fn is_log_group(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let ["arn", partition, "logs", region, account, "log-group", name] = parts.as_slice() else {
        return false;
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    *partition == partition_of(region)
        && region.contains('-')
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && (1..=512).contains(&name.len())
        && name.chars().all(legal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    const GROUP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:/vpn/link";

    #[test]
    fn distinguish_log_group_arn_from_stream_arn() {
        assert!(is_log_group(GROUP));
        for (from, to) in [
            ("aws", "aws-cn"),
            ("eu-west-1", "us-gov-west-1"),
            ("link", "link:*"),
            ("/vpn/link", ""),
            ("logs", "s3"),
            ("123456789012", "1"),
            ("arn:", ""),
        ] {
            let arn = GROUP.replace(from, to);
            assert!(!is_log_group(&arn), "{arn}");
        }
    }

    #[test]
    fn log_group_is_in_partition_of_its_region() {
        for (partition, region) in [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")] {
            let arn = GROUP
                .replace("arn:aws:", &format!("arn:{partition}:"))
                .replace("eu-west-1", region);
            assert!(is_log_group(&arn), "{arn}");
            assert!(!is_log_group(&arn.replace(partition, "aws")), "{arn}");
        }
    }

    #[test]
    fn log_group_is_in_region_of_link() {
        let logs = TunnelLogsConfig {
            bgp_group: Attr::Known(GROUP.to_owned()),
            ..TunnelLogsConfig::default()
        };
        assert_eq!(check_region(&logs, "eu-west-1"), []);
        let found = check_region(&logs, "us-east-1");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].attribute, AttributeId::Logs("bgp_log_group_arn"));
    }

    #[test]
    fn log_format_requires_its_log_group() {
        let is = |text: &str| Attr::Known(text.to_owned());
        let named = |config: &TunnelLogsConfig| {
            check(config)
                .into_iter()
                .map(|violation| violation.attribute)
                .collect::<Vec<_>>()
        };
        let both = TunnelLogsConfig {
            group: is(GROUP),
            format: is("text"),
            bgp_group: Attr::Unknown,
            bgp_format: is("json"),
        };
        assert_eq!(named(&both), []);
        let other = TunnelLogsConfig {
            bgp_group: Attr::Null,
            ..both
        };
        assert_eq!(named(&other), [AttributeId::Logs("bgp_format")]);
        let odd = TunnelLogsConfig {
            format: is("JSON"),
            ..TunnelLogsConfig::default()
        };
        assert_eq!(named(&odd), [AttributeId::Logs("format")]);
    }
}
