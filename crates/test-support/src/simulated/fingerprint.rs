//! Everything that two clouds hold, and a link's state, without what the clouds generate: two links
//! that are configured alike have equal fingerprints, however they came to be.

use super::Sim;
use super::leak_checker::json_of;
use super::terraform_core::Stored;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Members that differ between two objects that are made alike: ids of parts, times, keys.
const GENERATED: [&str; 19] = [
    "association_id",
    "dhcp_options_id",
    "security_group_id",
    "network_acl_id",
    "route_table_id",
    "arn",
    "secret_arn",
    "key",
    "next_secret",
    "guid",
    "etag",
    "pending",
    "settled",
    "ready",
    "visible_from",
    "created",
    "due",
    "last_maintenance",
    "replaced_until",
];

/// What a generated text is called instead.
#[derive(Default)]
struct Names {
    /// Ids of EC2, which may be parts of texts.
    ids: BTreeMap<String, String>,
    /// Addresses, as complete texts.
    addresses: BTreeMap<String, String>,
}

/// A line for each member of each object in both clouds and of the state.
pub fn fingerprint(sim: &Sim, stored: &Stored) -> Vec<String> {
    sim.sandbox.world().advance(sim.sandbox.now());
    let world = serde_json::to_value(&*sim.sandbox.world()).unwrap();
    let names = Names::of(&world);
    let azure = |kind: &str| {
        world["azure"][kind]
            .as_object()
            .cloned()
            .unwrap_or_default()
    };
    let azure = ["groups", "resources"]
        .into_iter()
        .flat_map(azure)
        .map(|(_, object)| object);
    let mut lines = Vec::new();
    for object in aws_objects(&world).chain(azure) {
        let object = names.plain(&object);
        let id = match (&object["id"], &object["name"]) {
            (Value::String(id), _) => id.clone(),
            (Value::Null, name) => format!("group {name}"),
            (id, _) => ["group", "kind", "parent", "name"]
                .map(|part| id[part].as_str().unwrap_or(""))
                .join("/"),
        };
        flatten(&object, &id, &mut lines);
    }
    flatten(
        &names.plain(&without_id(json_of(&stored.state))),
        "state ",
        &mut lines,
    );
    lines.sort();
    lines
}

fn flatten(value: &Value, at: &str, lines: &mut Vec<String>) {
    match value {
        Value::Object(items) if !items.is_empty() => {
            items
                .iter()
                .for_each(|(name, item)| flatten(item, &format!("{at}.{name}"), lines));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| flatten(item, &format!("{at}[{index}]"), lines));
        }
        leaf => lines.push(format!("{at} = {leaf}")),
    }
}

/// Lines that only one of two fingerprints has.
pub fn differences(is: &[String], should_be: &[String]) -> Vec<String> {
    let only = |these: &[String], those: &[String], sign: &str| -> Vec<String> {
        these
            .iter()
            .filter(|line| !those.contains(line))
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut all = only(is, should_be, "has");
    all.extend(only(should_be, is, "lacks"));
    all
}

/// `id` names the link as it was when it was created.
fn without_id(mut state: Value) -> Value {
    state.as_object_mut().map(|state| state.remove("id"));
    state
}

fn is_living(object: &Value) -> bool {
    !matches!(
        object["lifecycle"]["state"].as_str(),
        Some("Deleted" | "Deleting")
    )
}

/// Every region that was asked for anything has its collections, most of them empty.
fn holds_something(object: &Value) -> bool {
    let is_empty = |held: &Value| {
        held.as_object().is_some_and(Map::is_empty) || held.as_array().is_some_and(Vec::is_empty)
    };
    !object.get("holds").is_some_and(is_empty)
}

/// Every object of every region with its kind and region.
fn aws_objects(world: &Value) -> impl Iterator<Item = Value> {
    let regions = world["aws"]["regions"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    regions.into_iter().flat_map(|(region, kinds)| {
        let kinds = kinds.as_object().cloned().unwrap_or_default();
        kinds
            .into_iter()
            .filter(|(_, objects)| objects.is_object())
            .flat_map(move |(kind, objects)| {
                let region = region.clone();
                let objects = objects.as_object().cloned().unwrap_or_default();
                // Some collections are lists of texts by the id of what holds them.
                let objects = objects.into_iter().map(|(id, object)| {
                    match object["id"].is_string() {
                        true => object,
                        false => {
                            serde_json::json!({"id": format!("{kind} in {id}"), "holds": object})
                        }
                    }
                });
                let kind = kind.clone();
                objects
                    .collect::<Vec<_>>()
                    .into_iter()
                    .filter(is_living)
                    .filter(holds_something)
                    .map(move |mut object| {
                        object["kind"] = Value::from(kind.clone());
                        object["region"] = Value::from(region.clone());
                        object
                    })
            })
    })
}

impl Names {
    fn of(world: &Value) -> Names {
        let mut names = Names::default();
        let text =
            |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let all: Vec<Value> = aws_objects(world).collect();
        for object in all.iter().filter(|object| {
            object["tags"]
                .as_object()
                .is_some_and(|tags| !tags.is_empty())
        }) {
            let tag = |key: &str| object["tags"][key].as_str().unwrap_or_default().to_owned();
            let (part, kind) = (tag("awsazure:part"), text(object, "kind"));
            let name = if part.is_empty() { tag("Name") } else { part };
            names
                .ids
                .insert(text(object, "id"), format!("<{kind} {name}>"));
        }
        for object in all
            .iter()
            .filter(|object| !names.ids.contains_key(&text(object, "id")))
            .cloned()
            .collect::<Vec<_>>()
        {
            let of = ["vpc_id", "vpn_connection_id"]
                .map(|field| text(&object, field))
                .concat();
            let of = names.ids.get(&of).cloned().unwrap_or_default();
            names.ids.insert(
                text(&object, "id"),
                format!("<{} of {of}>", text(&object, "kind")),
            );
        }
        for object in &all {
            for tunnel in object["tunnels"].as_array().into_iter().flatten() {
                let name = format!("<outside address for {}>", text(tunnel, "inside_cidr"));
                names.addresses.insert(text(tunnel, "outside_ip"), name);
            }
        }
        for (id, resource) in world["azure"]["resources"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if resource["address"].is_string() {
                names
                    .addresses
                    .insert(text(resource, "address"), format!("<address of {id}>"));
            }
        }
        names
    }

    fn plain(&self, value: &Value) -> Value {
        match value {
            // Azure compares ids without regard to case, and the state keeps the case that it has.
            Value::String(text) if text.to_lowercase().contains("/subscriptions/") => {
                Value::String(text.to_lowercase())
            }
            Value::String(text) => Value::String(match self.addresses.get(text) {
                Some(name) => name.clone(),
                None => self.ids.iter().fold(text.clone(), |text, (id, name)| {
                    match text.contains(id.as_str()) {
                        true => text.replace(id, name),
                        false => text,
                    }
                }),
            }),
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.plain(item)).collect();
                // Both clouds treat what is listed as sets.
                items.sort_by_key(ToString::to_string);
                Value::Array(items)
            }
            Value::Object(items) => Value::Object(self.members(items)),
            other => other.clone(),
        }
    }

    fn members(&self, items: &Map<String, Value>) -> Map<String, Value> {
        // A move leaves its record on local network gateways, with a copy of the addresses.
        let moved = items.contains_key("awsazure:move-target");
        let kept = items.iter().filter(|(name, value)| {
            let generated = GENERATED.contains(&name.as_str())
                || name.starts_with("awsazure:rolled")
                || name.as_str() == "awsazure:move-target"
                || moved && name.as_str() == "awsazure:placed";
            let part_of_table = name.as_str() == "id"
                && value.as_str().is_some_and(|id| id.starts_with("rtbassoc"));
            let shared_key = name.as_str() == "secret" && value.is_string();
            // What EC2 omits until it is set explicitly.
            let default = name.as_str() == "bandwidth" && value.as_str() == Some("standard");
            !value.is_null() && !generated && !part_of_table && !shared_key && !default
        });
        kept.map(|(name, value)| match name.as_str() {
            // They name the link and its AWS side as they were when the object was created.
            "awsazure:link" | "awsazure:aws-end" | "device_name" => {
                (name.clone(), Value::from("<link>"))
            }
            _ => (
                self.plain(&Value::from(name.clone()))
                    .as_str()
                    .unwrap_or(name)
                    .to_owned(),
                self.plain(value),
            ),
        })
        .collect()
    }
}
