//! A walk over the schema that makes configurations: wholly known ones first, of which parts are
//! then made unknown, as references to objects made in the same run are.

use super::environment::{Environment, Style};
use super::rng::Rng;
use super::values::{good, place, wrong};
use awsazure::provider::bgp_vpn::schema;
use std::collections::BTreeMap;
use terraform_plugin::{Attribute, AttributeKind, AttributePath, Type, Value, msgpack};

/// What a configuration is made from.
pub struct Generator<'a> {
    pub rng: &'a mut Rng,
    pub environment: &'a Environment,
    pub style: Style,
}

impl Generator<'_> {
    /// Wholly known, and consistent in itself.
    pub fn valid(&mut self) -> Value {
        let mut config = self.object(&schema::resource().attributes, "");
        config = agree(config);
        wire(&config)
    }

    /// With something wrong or missing in it.
    pub fn maybe_invalid(&mut self) -> Value {
        let mut config = self.valid();
        let mut places = Vec::new();
        leaves(&schema::resource().attributes, "", &mut places);
        for _ in 0..=self.rng.below(2) {
            let (path, ty) = self.rng.pick(&places).clone();
            let inside_null = path
                .rsplit_once('.')
                .is_some_and(|(above, _)| config.at(&above.into()).is_null());
            if inside_null && !self.rng.once_in(4) {
                continue;
            }
            let value = if self.rng.once_in(5) {
                Value::Null
            } else {
                wrong(&ty, self.rng)
            };
            config.set_at(&path.as_str().into(), value);
        }
        if self.rng.once_in(6) {
            config.set("manage_gateways", self.rng.once_in(2));
        }
        wire(&with_all_attributes(config))
    }

    /// The same with some parts unknown. Write-only parts too: they may come from an ephemeral
    /// resource.
    pub fn with_unknowns(&mut self, config: &Value) -> Value {
        let one_in = *self.rng.pick(&[3, 8, 20]);
        wire(&self.hide_values(&schema::resource().attributes, config, one_in))
    }

    fn object(&mut self, attributes: &BTreeMap<String, Attribute>, at: &str) -> Value {
        let mut values = BTreeMap::new();
        for (name, attribute) in attributes.iter().filter(|(_, a)| a.required || a.optional) {
            let path = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            values.insert(name.clone(), self.value(attribute, &path));
        }
        Value::Object(values)
    }

    fn value(&mut self, attribute: &Attribute, path: &str) -> Value {
        if let Some(value) = place(path, self.environment, self.style, self.rng) {
            return value;
        }
        let decided = matches!(path, "azure.virtual_network" | "aws.vpc");
        if !attribute.required && !decided && !self.rng.once_in(3) {
            return Value::Null;
        }
        match &attribute.kind {
            AttributeKind::Nested(nested) => self.object(&nested.attributes, path),
            AttributeKind::Value(_) => self
                .rng
                .pick(&good(path, self.environment, self.style))
                .clone(),
        }
    }

    fn hide_values(
        &mut self,
        attributes: &BTreeMap<String, Attribute>,
        config: &Value,
        one_in: usize,
    ) -> Value {
        let Value::Object(values) = config else {
            return config.clone();
        };
        let mut with_unknowns = values.clone();
        for (name, attribute) in attributes.iter().filter(|(_, a)| a.required || a.optional) {
            let Some(value) = with_unknowns.get_mut(name) else {
                continue;
            };
            if self.rng.once_in(one_in) {
                *value = self.unknown(attribute, value);
                continue;
            }
            *value = match (&attribute.kind, &*value) {
                (AttributeKind::Nested(nested), _) => {
                    self.hide_values(&nested.attributes, value, one_in)
                }
                (_, Value::List(items)) => {
                    Value::List(items.iter().map(|item| self.item(item, one_in)).collect())
                }
                (_, Value::Set(items)) => {
                    Value::Set(items.iter().map(|item| self.item(item, one_in)).collect())
                }
                (_, Value::Map(items)) => Value::Map(
                    items
                        .iter()
                        .map(|(key, item)| (key.clone(), self.item(item, one_in)))
                        .collect(),
                ),
                (_, plain) => plain.clone(),
            };
        }
        Value::Object(with_unknowns)
    }

    fn item(&mut self, item: &Value, one_in: usize) -> Value {
        if self.rng.once_in(one_in) {
            Value::unknown()
        } else {
            item.clone()
        }
    }

    /// Where it will be set, Terraform may know that it is not null.
    fn unknown(&mut self, attribute: &Attribute, value: &Value) -> Value {
        // Extension 12 with {1: false}: not null.
        let refined =
            || msgpack::decode(&attribute.type_(), &[0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2]).unwrap();
        if value.is_set() && self.rng.once_in(3) {
            refined()
        } else {
            Value::unknown()
        }
    }
}

/// Repairs attributes that depend on each other after single choices.
fn agree(mut config: Value) -> Value {
    if config.get("preshared_keys_wo").is_set() != config.get("preshared_keys_wo_version").is_set()
    {
        config.set("preshared_keys_wo", Value::Null);
        config.set("preshared_keys_wo_version", Value::Null);
    }
    if !config.get("preshared_keys_wo").is_null() {
        config.set("rotate_keys", Value::Null);
    }
    for (group, format) in [
        ("log_group_arn", "format"),
        ("bgp_log_group_arn", "bgp_format"),
    ] {
        let logs = config.at(&"aws.logs".into());
        if logs.is_set() && logs.get(group).is_null() {
            config.set_at(&format!("aws.logs.{format}").as_str().into(), Value::Null);
        }
    }
    // Azure has to rekey accelerated tunnels first. What is not configured may be from before.
    let aws = config.get("aws");
    let transit = !aws.get("transit_gateway_id").is_null();
    if transit && aws.get("enable_acceleration").as_bool() != Some(false) {
        for lifetime in ["ike_lifetime_seconds", "ipsec_lifetime_seconds"] {
            let path = format!("ipsec_policy.{lifetime}");
            if config.get("ipsec_policy").is_set() {
                let longest = if lifetime.starts_with("ike") {
                    28_800
                } else {
                    3_600
                };
                config.set_at(&path.as_str().into(), longest);
            }
        }
        if config.get("ipsec_policy").get("preset").as_str() == Some("cloud_default") {
            config.set_at(&"ipsec_policy.preset".into(), "compatible");
        }
    }
    let policy = config.get("ipsec_policy").clone();
    if policy.get("preset").as_str() == Some("cloud_default") {
        let only = policy
            .as_map()
            .unwrap()
            .keys()
            .map(|name| (name.clone(), Value::Null));
        let mut bare = Value::Object(only.collect());
        bare.set("preset", "cloud_default");
        config.set("ipsec_policy", bare);
    } else if policy.get("ipsec_encryption").as_str() == Some("AES256")
        && policy.get("ipsec_integrity").is_null()
    {
        config.set_at(&"ipsec_policy.ipsec_integrity".into(), "SHA2-256");
    }
    config
}

/// Required attributes null are an error of Terraform's own, that no provider gets to see.
fn with_all_attributes(mut config: Value) -> Value {
    for path in ["name", "azure.resource_group_name"] {
        if config.at(&path.into()).is_null() {
            config.set_at(&path.into(), "given");
        }
    }
    for (parent, children) in [
        (
            "azure.virtual_network",
            &["name", "address_space", "gateway_subnet_prefix"][..],
        ),
        ("aws.vpc", &["cidr_block"][..]),
    ] {
        let lacks = children
            .iter()
            .any(|child| config.at(&parent.into()).get(child).is_null());
        if lacks {
            config.set_at(&parent.into(), Value::Null);
        }
    }
    config
}

fn leaves(attributes: &BTreeMap<String, Attribute>, at: &str, found: &mut Vec<(String, Type)>) {
    for (name, attribute) in attributes.iter().filter(|(_, a)| a.required || a.optional) {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match &attribute.kind {
            AttributeKind::Nested(nested) => leaves(&nested.attributes, &path, found),
            AttributeKind::Value(ty) => found.push((path, ty.clone())),
        }
    }
}

/// A value as it comes out of the wire: every attribute there.
pub fn wire(value: &Value) -> Value {
    let ty = schema::value_type();
    msgpack::decode(ty, &msgpack::encode(ty, value).unwrap()).unwrap()
}

/// Where a value has something unknown.
pub fn unknown_places(value: &Value, at: AttributePath, found: &mut Vec<String>) {
    match value {
        Value::Unknown(_) => found.push(at.to_string()),
        Value::Object(items) => items
            .iter()
            .for_each(|(k, v)| unknown_places(v, at.clone().attr(k), found)),
        Value::Map(items) => items
            .iter()
            .for_each(|(k, v)| unknown_places(v, at.clone().key(k), found)),
        Value::List(items) | Value::Set(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, v)| unknown_places(v, at.clone().index(i), found));
        }
        _ => {}
    }
}
