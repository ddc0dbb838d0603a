#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::{AttributeRow, DefaultValue, Effect, Mode, Shape, Source, row, table};
use crate::provider::bgp_vpn::attribute_paths::value_path;
use crate::provider::bgp_vpn::schema;
use bgp_vpn::config::{Attr, AttributeId, AttributeSource, Config};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use terraform_plugin::{Attribute, AttributeKind, Nesting, Type, Value};

/// Every attribute of the schema by its path. No object is in a map or list.
fn schema_paths() -> BTreeMap<String, Attribute> {
    fn walk(
        attributes: &BTreeMap<String, Attribute>,
        at: &str,
        found: &mut BTreeMap<String, Attribute>,
    ) {
        for (name, attribute) in attributes {
            let path = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            if let AttributeKind::Nested(nested) = &attribute.kind {
                assert_eq!(nested.nesting, Nesting::Single, "{path}");
                walk(&nested.attributes, &path, found);
            }
            found.insert(path, attribute.clone());
        }
    }
    let mut found = BTreeMap::new();
    walk(&schema::resource().attributes, "", &mut found);
    found
}

fn is_configurable(row: &AttributeRow) -> bool {
    row.mode != Mode::Computed
}

#[test]
fn table_and_schema_have_the_same_attributes() {
    let rows: Vec<String> = table().iter().map(|row| row.path.clone()).collect();
    let unique: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), unique.len(), "a path has two rows");
    assert_eq!(unique, schema_paths().into_keys().collect());
}

#[test]
fn schema_says_default_and_effect_of_each_row() {
    let schema = schema_paths();
    for row in table() {
        let description = &schema[&row.path].description;
        assert!(
            description.ends_with(row.effect.documentation()),
            "{}: {description}",
            row.path
        );
        let says_default = description.contains("Default");
        assert!(
            row.default == DefaultValue::Derived || says_default,
            "{}: {description}",
            row.path
        );
    }
}

#[test]
fn defaults_are_of_the_type_of_their_attribute() {
    for row in table() {
        let (DefaultValue::Static(value)
        | DefaultValue::StaticOnTransitGateway(value)
        | DefaultValue::OfCreatedGateway(value)) = &row.default
        else {
            continue;
        };
        let fits = match &row.shape {
            Shape::Value(Type::Bool) => value.as_bool().is_some(),
            Shape::Value(Type::String) => value.as_str().is_some(),
            Shape::Value(Type::Number) => value.as_number().is_some(),
            _ => false,
        };
        assert!(
            fits && row.mode == Mode::OptionalComputed,
            "{}: {value:?}",
            row.path
        );
    }
}

/// Each attribute that can be configured says what its change does: itself, the object that it is
/// in, or all that is in it.
#[test]
fn every_configurable_attribute_has_an_effect() {
    for row in table().iter().filter(|row| is_configurable(row)) {
        let said = |row: &AttributeRow| row.effect != Effect::Unspecified;
        let inner = format!("{}.", row.path);
        let by_parts = row.shape == Shape::Object
            && table()
                .iter()
                .filter(|part| part.path.starts_with(&inner) && is_configurable(part))
                .count()
                > 0;
        let object = row
            .path
            .rsplit_once('.')
            .and_then(|(object, _)| super::row(object));
        assert!(
            said(row) || by_parts || object.is_some_and(said),
            "{}",
            row.path
        );
    }
}

/// What an apply or a refresh fills in has a source or is remembered: a plan without a change would
/// not be empty otherwise.
#[test]
fn every_setting_that_clouds_report_is_remembered() {
    for row in table()
        .iter()
        .filter(|row| is_configurable(row) && matches!(row.source, Source::Settings(_)))
    {
        assert!(row.remembered, "{}", row.path);
    }
    assert!(
        table()
            .iter()
            .filter(|row| !is_configurable(row))
            .all(|row| !row.remembered)
    );
}

#[test]
fn rows_are_found_by_path() {
    assert_eq!(
        row("aws.tunnel_bandwidth").unwrap().effect,
        Effect::InterruptsConnections
    );
    assert!(row("aws.nothing").is_none());
    assert_eq!(
        super::default_of_created_gateway(&AttributeId::AzureAsn),
        Value::from(65_000_u32)
    );
}

/// The order decides which attribute the warning of a replacement names.
#[test]
fn replacing_attributes_are_these() {
    let of = |effect: Effect| super::paths_with(effect).collect::<Vec<_>>();
    assert_eq!(
        of(Effect::ReplacesLink),
        [
            "azure.resource_group_name",
            "azure.location",
            "azure.virtual_network_id",
            "azure.virtual_network.gateway_subnet_prefix",
            "azure.generation",
            "azure.gateway_id",
        ]
    );
    assert_eq!(
        of(Effect::RecreatesAwsSide),
        [
            "aws.region",
            "aws.vpc_id",
            "aws.asn",
            "aws.vpn_gateway_id",
            "aws.transit_gateway_id"
        ]
    );
}

/// A source without values that notes what is read.
#[derive(Default)]
struct Recorder(RefCell<Vec<AttributeId>>);

impl Recorder {
    fn note<T>(&self, attribute: &AttributeId) -> Attr<T> {
        self.0.borrow_mut().push(attribute.clone());
        Attr::Null
    }
}

impl AttributeSource for Recorder {
    fn parse<T>(&self, attribute: &AttributeId, _: impl FnOnce(&str) -> T) -> Attr<T> {
        self.note(attribute)
    }

    fn number(&self, attribute: &AttributeId) -> Attr<i64> {
        self.note(attribute)
    }

    fn flag(&self, attribute: &AttributeId) -> Attr<bool> {
        self.note(attribute)
    }

    fn texts(&self, attribute: &AttributeId) -> Attr<Vec<Attr<String>>> {
        self.note(attribute)
    }

    fn text_map(&self, attribute: &AttributeId) -> Attr<BTreeMap<String, Attr<String>>> {
        self.note(attribute)
    }

    fn object(&self, attribute: &AttributeId) -> Attr<()> {
        self.note::<()>(attribute);
        Attr::Known(())
    }

    fn non_integer(&self, attribute: &AttributeId) -> Option<String> {
        self.note::<()>(attribute);
        None
    }
}

/// Without a row, an attribute would read as null.
#[test]
fn every_attribute_that_is_read_has_a_row() {
    let recorder = Recorder::default();
    Config::read(&recorder);
    let read = recorder.0.into_inner();
    assert!(read.len() > 50, "{read:?}");
    for attribute in read {
        let path = value_path(&attribute).to_string();
        assert!(row(&path).is_some(), "{attribute:?} at {path:?}");
    }
}
