//! Names of cloud objects, the Azure location, and tags.

use crate::config::{Attr, Config};
use crate::names::{check_group_name, check_network_name};
use crate::types::tags::{check_keys, check_tag};
use crate::violation::{AttributeId, Violation, ViolationKind};

pub(super) fn validate_names(config: &Config, violations: &mut Vec<Violation>) {
    // The longest name made from the link's: "-to-aws-instance0-tunnel1" is 25 characters.
    let own = config
        .name
        .known()
        .map(|name| (AttributeId::Name, name, check_network_name(name, 1, 55)));
    let group = config
        .group
        .known()
        .map(|name| (AttributeId::ResourceGroup, name, check_group_name(name)));
    let singles = config
        .azure_names
        .iter()
        .filter_map(|(k, name)| Some((AttributeId::AzureName(k.clone()), name.known()?)));
    let singles = singles.map(|(field, name)| (field, name, check_network_name(name, 1, 80)));
    for (name, text) in config
        .aws_names
        .iter()
        .filter_map(|(name, text)| Some((name, text.known()?)))
    {
        if let Some(violation) = check_tag("Name", text) {
            violations.push(Violation::error(
                AttributeId::AwsName(name.clone()),
                ViolationKind::Tag(violation),
            ));
        }
    }
    if let Attr::Known(location) = &config.location
        && (location.is_empty()
            || !location
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == ' '))
    {
        violations.push(Violation::error(
            AttributeId::Location,
            ViolationKind::InvalidLocation(location.clone()),
        ));
    }
    for (field, _, result) in own.into_iter().chain(group).chain(singles) {
        if let Err(violation) = result {
            violations.push(Violation::error(field, ViolationKind::Name(violation)));
        }
    }
}

pub(super) fn validate_tags(config: &Config, violations: &mut Vec<Violation>) {
    let Some(tags) = config.tags.known() else {
        return;
    };
    for (key, value) in tags {
        // A value that is not known yet is checked by apply.
        if let Some(violation) = check_tag(key, value.known().map_or("", String::as_str)) {
            violations.push(Violation::error(
                AttributeId::Tag(key.clone()),
                ViolationKind::Tag(violation),
            ));
        }
    }
    violations.extend(
        check_keys(tags.keys())
            .map(|violation| Violation::error(AttributeId::Tags, ViolationKind::Tag(violation))),
    );
}
