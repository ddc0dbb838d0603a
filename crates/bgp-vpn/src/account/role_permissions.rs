//! What the roles of the credentials permit in a resource group.

/// The permissions of one role assignment. `*` in an action stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolePermissions {
    pub actions: Vec<String>,
    pub not_actions: Vec<String>,
}

impl RolePermissions {
    fn allows(&self, action: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|pattern| matches(pattern, action));
        has(&self.actions) && !has(&self.not_actions)
    }
}

/// The actions that no role permits. Empty if none of the writes is permitted: then the plan runs with
/// roles that only read, which is intended, and others apply it.
pub fn missing_actions<'a>(
    roles: &[RolePermissions],
    required: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let is_allowed = |action: &str| roles.iter().any(|role| role.allows(action));
    let (allowed, missing): (Vec<&str>, Vec<&str>) =
        required.partition(|action| is_allowed(action));
    match allowed.iter().any(|action| action.ends_with("/write")) {
        true => missing,
        false => Vec::new(),
    }
}

/// Names of actions are compared in any letter case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else {
        return false;
    };
    let Some((last, middle)) = parts
        .collect::<Vec<_>>()
        .split_last()
        .map(|(l, m)| (*l, m.to_vec()))
    else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(actions: &[&str], not_actions: &[&str]) -> RolePermissions {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        RolePermissions {
            actions: owned(actions),
            not_actions: owned(not_actions),
        }
    }

    #[test]
    fn match_wildcards_in_any_letter_case() {
        for (pattern, action, expected) in [
            ("*", "Microsoft.Network/connections/write", true),
            (
                "microsoft.network/*",
                "Microsoft.Network/connections/write",
                true,
            ),
            (
                "Microsoft.Network/*/read",
                "Microsoft.Network/connections/read",
                true,
            ),
            (
                "Microsoft.Network/*/read",
                "Microsoft.Network/connections/write",
                false,
            ),
            (
                "Microsoft.Network/connections",
                "Microsoft.Network/connections/write",
                false,
            ),
            (
                "Microsoft.Network/connections/write",
                "Microsoft.Network/connections/write",
                true,
            ),
        ] {
            assert_eq!(matches(pattern, action), expected, "{pattern} {action}");
        }
    }

    #[test]
    fn list_what_no_role_permits() {
        let required = [
            "Microsoft.Network/connections/read",
            "Microsoft.Network/connections/write",
        ];
        let missing = |roles: &[RolePermissions]| missing_actions(roles, required.into_iter());
        let (reader, owner) = (role(&["*/read"], &[]), role(&["*"], &[]));
        assert!(
            missing(std::slice::from_ref(&reader)).is_empty(),
            "a role that only reads"
        );
        assert!(missing(&[owner]).is_empty());
        let partial = role(&["*"], &["Microsoft.Network/connections/write"]);
        assert!(
            missing(std::slice::from_ref(&partial)).is_empty(),
            "nothing is written at all"
        );
        let required = [
            "Microsoft.Network/connections/write",
            "Microsoft.Network/publicIPAddresses/write",
        ];
        let found = missing_actions(&[partial, reader], required.into_iter());
        assert_eq!(found, ["Microsoft.Network/connections/write"]);
    }
}
