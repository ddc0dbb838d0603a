//! What is looked at after each fault: objects that no run would find again, objects made twice,
//! secrets where they must not be, and whether a link is the very link that a run without faults
//! makes.

use super::Sim;
use super::other_team;
use super::terraform_core::Stored;
use serde_json::Value;
use std::collections::BTreeMap;

/// The tag of what is not the link's.
pub const FOREIGN_TAG: (&str, &str) = ("owner", "other-team");

/// Every object in both clouds: the link's, and another user's, which transit gateways always are.
fn all_rows(sim: &Sim) -> (Vec<Value>, Vec<Value>) {
    let listing = sim.sandbox.world().objects();
    let all = ["aws", "azure"]
        .into_iter()
        .flat_map(|cloud| listing[cloud].as_array().cloned().unwrap_or_default());
    let all: Vec<Value> = all.collect();
    let marked = all
        .iter()
        .filter(|row| row["tags"][FOREIGN_TAG.0] == FOREIGN_TAG.1);
    let marked: Vec<Value> = marked.map(|row| row["id"].clone()).collect();
    let foreign = |row: &Value| marked.contains(&row["id"]) || marked.contains(&row["vpc_id"]);
    all.into_iter()
        .partition(|row| row["kind"] != "transit-gateway" && !foreign(row))
}

fn rows(sim: &Sim) -> Vec<Value> {
    all_rows(sim).0
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

/// What of the link an object is.
fn part(row: &Value) -> String {
    let (kind, tag) = (text(row, "kind"), row["tags"]["awsazure:part"].as_str());
    let main = if row["main"] == true {
        "main"
    } else {
        text(row, "name")
    };
    format!("{kind}/{}", tag.unwrap_or(main))
}

/// Every object says whose it is: by its tag, by its name in the state's `managed`, or by what it
/// lies in.
pub fn all_objects_recorded(sim: &Sim, stored: &Stored) -> Result<(), String> {
    let (rows, state) = (rows(sim), format!("{:?}", stored.state));
    let tagged = |row: &&Value| row["tags"]["awsazure:link"].is_string();
    let homes: Vec<&str> = rows
        .iter()
        .filter(tagged)
        .map(|row| text(row, "id"))
        .collect();
    let known = |row: &Value| {
        let id = text(row, "id");
        let inside = |home: &&str| row["vpc_id"] == **home || id.starts_with(&format!("{home}/"));
        tagged(&row) || state.contains(&format!("{id:?}")) || homes.iter().any(inside)
    };
    match rows.iter().find(|row| !known(row)) {
        Some(lost) => Err(format!("no run would find this object again: {lost:#}")),
        None => Ok(()),
    }
}

/// No part of the link is there twice.
pub fn no_duplicates(sim: &Sim) -> Result<(), String> {
    let mut seen = BTreeMap::new();
    for row in rows(sim)
        .into_iter()
        .filter(|row| row["tags"]["awsazure:part"].is_string())
    {
        let leaving = matches!(text(&row, "state"), "deleting" | "deleted" | "Deleting");
        if !leaving && let Some(other) = seen.insert(part(&row), row.clone()) {
            return Err(format!("made twice: {other:#} and {row:#}"));
        }
    }
    Ok(())
}

/// Lets the clouds end what they are at: half an hour of theirs at most.
pub async fn wait_until_idle(sim: &Sim, span: std::time::Duration) {
    let moving = |row: &Value| matches!(text(row, "state"), "Updating" | "pending" | "modifying");
    for _ in 0..180 {
        sim.sandbox.world().advance(sim.sandbox.now());
        if !rows(sim).iter().any(moving) {
            return;
        }
        tokio::time::sleep(span).await;
    }
}

/// Nothing is left in either cloud, and another user's tables let in what they let in before: main
/// ones alone, where there are any.
pub fn no_objects_left(sim: &Sim) -> Result<(), String> {
    let (left, others) = all_rows(sim);
    let tables = others
        .iter()
        .filter_map(|row| Some((row, row["propagating"].as_array()?)));
    let changed = tables
        .filter(|(row, lets_in)| lets_in.is_empty() == (row["main"] == true))
        .map(|(row, _)| row)
        .next();
    match (left.is_empty(), changed) {
        (true, None) => Ok(()),
        (_, Some(table)) => Err(format!(
            "another user's table has other propagation: {table:#}"
        )),
        (false, None) => Err(format!("left behind: {left:#?}")),
    }
}

/// No secret shows in any of these texts.
pub fn no_secret(sim: &Sim, texts: &[&str]) -> Result<(), String> {
    for secret in sim.wire.secrets() {
        if let Some(text) = texts.iter().find(|text| text.contains(&secret)) {
            let at = text.find(&secret).unwrap_or_default();
            let before: String = text[..at]
                .chars()
                .rev()
                .take(120)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            return Err(format!("a secret shows after: {before}"));
        }
    }
    Ok(())
}

/// All four tunnels of the link are up, as the world has it.
pub fn tunnels_up(sim: &Sim) -> Result<(), String> {
    let world = sim.sandbox.world();
    let (mut up, mut words) = (0, Vec::new());
    for end in world
        .aws
        .endpoints()
        .into_iter()
        .filter(|end| end.peer_ip != other_team::PUBLIC_IP)
    {
        match world.tunnels.negotiation(end.outside_ip) {
            Some(negotiation)
                if negotiation.status == awsazure_sandbox::dataplane::TunnelStatus::Up =>
            {
                up += 1
            }
            other => words.push(format!("{}: {other:?}", end.outside_ip)),
        }
    }
    if up == 4 && words.is_empty() {
        Ok(())
    } else {
        Err(format!("{up} tunnels are up; {words:?}"))
    }
}

/// A link with its state, in words that are the same for every link made from the same
/// configuration: ids and addresses that the clouds chose are replaced by the part's name.
pub fn snapshot(sim: &Sim, stored: &Stored) -> String {
    let rows = rows(sim);
    // Azure's ids are names; AWS's are chance.
    let chance = rows.iter().filter(|row| !text(row, "id").starts_with('/'));
    let mut names: Vec<(String, String)> = chance
        .map(|row| (text(row, "id").to_owned(), part(row)))
        .collect();
    for (key, tunnel) in stored.state.get("tunnels").as_map().into_iter().flatten() {
        let places = [
            ("aws_outside_ip", format!("aws end of {key}")),
            ("azure_public_ip", format!("azure end of {}", &key[..9])),
            (
                "aws_transit_gateway_attachment_id",
                format!("attachment of {}", &key[..9]),
            ),
        ];
        let shown = places
            .into_iter()
            .filter_map(|(name, word)| Some((tunnel.get(name).as_str()?.to_owned(), word)));
        names.extend(shown);
    }
    let fields = [
        "kind",
        "name",
        "state",
        "tags",
        "vpc_id",
        "main",
        "subnets",
        "propagating",
        "attachments",
        "asn",
        "custom_bgp_addresses",
    ];
    let of_row = |row: &Value| {
        let kept: serde_json::Map<String, Value> = fields
            .into_iter()
            .map(|field| (field.to_owned(), row[field].clone()))
            .collect();
        plain(&Value::Object(kept), &names)
    };
    let mut lines: Vec<String> = rows.iter().map(of_row).collect();
    lines.sort();
    let private = serde_json::from_slice(&stored.private).unwrap_or_default();
    lines.push(plain(&json_of(&stored.state), &names));
    lines.push(plain(&private, &names));
    lines.push(format!("{:?} tainted {}", stored.identity, stored.tainted));
    lines.join("\n")
}

/// The first line in which two links differ.
pub fn difference(is: &str, should_be: &str) -> String {
    let lines = is
        .lines()
        .zip(should_be.lines())
        .find(|(is, should)| is != should);
    match lines {
        Some((is, should)) => {
            let at = is
                .bytes()
                .zip(should.bytes())
                .position(|(a, b)| a != b)
                .unwrap_or_default()
                .saturating_sub(120);
            let from = |text: &str| text.chars().skip(at).take(400).collect::<String>();
            format!("is ...{}\n  instead of ...{}", from(is), from(should))
        }
        None => format!(
            "{} lines instead of {}",
            is.lines().count(),
            should_be.lines().count()
        ),
    }
}

/// JSON in one line, elements of arrays in order.
fn plain(value: &Value, names: &[(String, String)]) -> String {
    match value {
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(|item| plain(item, names)).collect();
            items.sort();
            format!("[{}]", items.join(", "))
        }
        Value::Object(items) => {
            // What was read back once has its nulls written out.
            let set = items.iter().filter(|(_, item)| !item.is_null());
            // Keys of tags may hold ids.
            let line = |(name, item): (&String, &Value)| {
                format!("{}: {}", named(name, names), plain(item, names))
            };
            let mut items: Vec<String> = set.map(line).collect();
            items.sort();
            format!("{{{}}}", items.join(", "))
        }
        other => named(&other.to_string(), names),
    }
}

fn named(text: &str, names: &[(String, String)]) -> String {
    names
        .iter()
        .fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
}

/// A value for comparisons: Azure's ids in lower case, sets in a fixed order.
pub fn json_of(value: &terraform_plugin::Value) -> Value {
    use terraform_plugin::Value as V;
    match value {
        V::Null => Value::Null,
        V::Bool(truth) => Value::Bool(*truth),
        V::String(text) if text.to_lowercase().contains("/subscriptions/") => {
            Value::String(text.to_lowercase())
        }
        V::String(text) => Value::String(text.clone()),
        V::Set(items) => {
            let mut items: Vec<Value> = items.iter().map(json_of).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        V::List(items) | V::Tuple(items) => Value::Array(items.iter().map(json_of).collect()),
        V::Map(items) | V::Object(items) => Value::Object(
            items
                .iter()
                .map(|(name, item)| (name.clone(), json_of(item)))
                .collect(),
        ),
        other => Value::String(format!("{other:?}")),
    }
}
