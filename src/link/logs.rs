//! Where tunnels may write their logs: what can be refused without asking AWS.

use super::fault::{Fault, Field, Problem};
use super::wish::{Given, LogsWish};

/// Everything that is wrong with `logs`.
pub fn check(wish: &LogsWish) -> Vec<Fault> {
    let kinds = [
        (&wish.group, "log_group_arn", &wish.format, "format"),
        (&wish.bgp_group, "bgp_log_group_arn", &wish.bgp_format, "bgp_format"),
    ];
    let mut faults = Vec::new();
    for (group, group_name, format, format_name) in kinds {
        if let Given::Is(arn) = group
            && !is_log_group(arn)
        {
            faults.push(Fault::error(Field::Logs(group_name), Problem::NotALogGroup(arn.clone())));
        }
        let Given::Is(given) = format else { continue };
        if !matches!(given.as_str(), "json" | "text") {
            let problem = Problem::NotOneOf { given: given.clone(), allowed: "json, text" };
            faults.push(Fault::error(Field::Logs(format_name), problem));
        } else if group.is_absent() {
            faults.push(Fault::error(Field::Logs(format_name), Problem::FormatWithoutLog(group_name)));
        }
    }
    faults
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, in any partition.
fn is_log_group(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let ["arn", partition, "logs", region, account, "log-group", name] = parts.as_slice() else { return false };
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    partition.starts_with("aws")
        && region.contains('-')
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && (1..=512).contains(&name.len())
        && name.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:/vpn/link";

    #[test]
    fn a_log_group_is_told_from_its_streams_and_from_everything_else() {
        assert!(is_log_group(GROUP) && is_log_group(&GROUP.replace("aws", "aws-cn")));
        for (from, to) in [("link", "link:*"), ("/vpn/link", ""), ("logs", "s3"), ("123456789012", "1"), ("arn:", "")] {
            let arn = GROUP.replace(from, to);
            assert!(!is_log_group(&arn), "{arn}");
        }
    }

    #[test]
    fn a_format_needs_its_own_log() {
        let is = |text: &str| Given::Is(text.to_owned());
        let named = |wish: &LogsWish| check(wish).into_iter().map(|fault| fault.field).collect::<Vec<_>>();
        let both = LogsWish { group: is(GROUP), format: is("text"), bgp_group: Given::Unknown, bgp_format: is("json") };
        assert_eq!(named(&both), []);
        let other = LogsWish { bgp_group: Given::Absent, ..both };
        assert_eq!(named(&other), [Field::Logs("bgp_format")]);
        let odd = LogsWish { format: is("JSON"), ..LogsWish::default() };
        assert_eq!(named(&odd), [Field::Logs("format")]);
    }
}
