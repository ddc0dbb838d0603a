//! The condensed schemas, against which the sandbox checks every request and answer, agree with the
//! models in the official packages: botocore's EC2 service model and azure-mgmt-network.

use super::official_clients::{SDKS, SDKS_READY, script};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use test_support::repository;
use test_support::terraform::{python, skip};

/// What the packages say, as `models.py` prints it. None where they cannot be installed.
fn official_models() -> Option<Value> {
    let Some(home) = python::environment("strangers", &SDKS, SDKS_READY) else {
        skip(
            "the comparison with official models (python3 with venv, or the package index, is not there)",
        );
        return None;
    };
    let done = Command::new(home.join("bin/python"))
        .arg(script("models.py"))
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Some(serde_json::from_slice(&done.stdout).unwrap())
}

/// A condensed schema of the sandbox.
fn condensed(name: &str) -> Value {
    let path = repository().join("crates/sandbox/schemas").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A type as the service model has it, in the condensed copy's notation.
fn type_of(shapes: &Value, name: &str) -> String {
    let shape = &shapes[name];
    match shape["type"].as_str().unwrap() {
        "list" => format!(
            "[{}]",
            type_of(shapes, shape["member"]["shape"].as_str().unwrap())
        ),
        "structure" => name.to_owned(),
        "string" if shape.get("enum").is_some() => name.to_owned(),
        "timestamp" => "time".to_owned(),
        plain => plain.to_owned(),
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn condensed_ec2_model_matches_service_model() {
    let Some(official) = official_models() else {
        return;
    };
    let (model, ours) = (&official["ec2"], condensed("ec2.json"));
    let shapes = &model["shapes"];
    let mut compared = 0;
    for (side, shape_of) in [("requests", "input"), ("answers", "output")] {
        let roots = model["operations"].as_object().unwrap().iter();
        let mut left: Vec<String> = roots
            .filter(|(name, _)| ours["operations"].get(name).is_some())
            .filter_map(|(_, operation)| {
                Some(operation.get(shape_of)?["shape"].as_str()?.to_owned())
            })
            .collect();
        let mut done = Vec::new();
        while let Some(name) = left.pop().filter(|name| !name.is_empty()) {
            if done.contains(&name) {
                continue;
            }
            let required = strings(&shapes[&name]["required"]);
            let written = ours[side][&name]
                .as_object()
                .unwrap_or_else(|| panic!("{side} lack {name}"));
            let mut theirs = BTreeMap::new();
            for (member, details) in shapes[&name]["members"].as_object().unwrap() {
                let location = details["locationName"].as_str();
                let wire = match (side, location) {
                    ("requests", Some(text)) => text[..1].to_uppercase() + &text[1..],
                    _ => location.unwrap_or(member).to_owned(),
                };
                let inner = details["shape"].as_str().unwrap();
                let mark = if required.contains(&member.as_str()) {
                    "*"
                } else {
                    ""
                };
                // A newer API has members that the sandbox never answers. It accepts every member
                // of a request.
                if side == "answers" && mark.is_empty() && !written.contains_key(&wire) {
                    continue;
                }
                theirs.insert(wire, format!("{}{mark}", type_of(shapes, inner)));
                let deep = type_of(shapes, inner).trim_matches(['[', ']']).to_owned();
                match shapes[&deep]["type"].as_str() {
                    Some("structure") => left.push(deep),
                    Some(_) if shapes[&deep].get("enum").is_some() => {
                        let known = strings(&ours["enums"][&deep]);
                        let plain: Vec<&str> = known
                            .into_iter()
                            .filter(|value| !value.starts_with('~'))
                            .collect();
                        assert_eq!(plain, strings(&shapes[&deep]["enum"]), "{deep}");
                    }
                    _ => {}
                }
            }
            let own: BTreeMap<String, String> = written
                .iter()
                .map(|(name, text)| (name.clone(), text.as_str().unwrap().replace('!', "")))
                .collect();
            assert_eq!(own, theirs, "{name}");
            compared += own.len();
            done.push(name);
        }
    }
    assert!(compared > 1_000, "{compared}");
}

/// A type as the SDK annotates it, in the condensed copy's notation.
fn annotated(text: &str) -> String {
    let within = |open: &str| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(']'))
    };
    if let Some(inner) = within("Optional[").or_else(|| within("Union[str, ")) {
        return annotated(inner);
    }
    if let Some(inner) = within("list[") {
        return format!("[{}]", annotated(inner));
    }
    if let Some(inner) = within("dict[str, ") {
        return format!("{{{}}}", annotated(inner));
    }
    match text {
        "str" => "string".into(),
        "int" => "long".into(),
        "bool" => "boolean".into(),
        "float" => "number".into(),
        "Any" => "any".into(),
        "datetime.datetime" => "time".into(),
        name => name.into(),
    }
}

fn members<'a>(models: &'a Value, name: &str, into: &mut BTreeMap<&'a str, &'a Value>) {
    for base in strings(&models[name]["bases"])
        .into_iter()
        .filter(|base| models.get(*base).is_some())
    {
        members(models, base, into);
    }
    let own = models[name]["props"].as_object().unwrap();
    into.extend(own.iter().map(|(name, details)| (name.as_str(), details)));
}

#[test]
fn condensed_azure_models_match_sdk() {
    let Some(sdk) = official_models() else { return };
    let (operations, ours) = (&sdk["operations"], condensed("azure.json"));
    let (mut compared, mut checked) = (0, 0);
    for (name, written) in ours["models"].as_object().unwrap() {
        if sdk["models"].get(name).is_none() {
            continue;
        }
        let mut theirs = BTreeMap::new();
        members(&sdk["models"], name, &mut theirs);
        for (member, text) in written.as_object().unwrap() {
            let text = text.as_str().unwrap();
            let Some(details) = theirs.remove(member.as_str()) else {
                assert!(text.contains('~'), "{name}.{member} is not in the model");
                continue;
            };
            let required = details["required"] == true;
            assert_eq!(text.contains('*'), required, "{name}.{member}");
            let (plain, wanted) = (
                text.replace(['*', '+', '!', '&'], ""),
                annotated(details["type"].as_str().unwrap()),
            );
            let opaque = plain.trim_matches(['[', ']', '{', '}']) == "any";
            assert!(
                opaque || plain == wanted,
                "{name}.{member}: {plain}, not {wanted}"
            );
            compared += 1;
        }
        assert_eq!(
            theirs.into_keys().collect::<Vec<_>>(),
            Vec::<&str>::new(),
            "{name} lacks members"
        );
    }
    for (name, values) in ours["enums"].as_object().unwrap() {
        let known = sdk["enums"].get(name).map(|known| strings(known));
        let plain: Vec<&str> = strings(values)
            .into_iter()
            .filter(|value| !value.starts_with('~'))
            .collect();
        assert!(known.is_none_or(|known| known == plain), "{name}");
    }
    for (name, written) in ours["operations"].as_object().unwrap() {
        let Some(theirs) = written["spec"]
            .as_str()
            .map(|of| &operations[format!("{of}_request")])
        else {
            continue;
        };
        assert_eq!(written["query"], theirs["query"], "{name}");
        let statuses: Vec<&str> = theirs["status"].as_str().unwrap().split(", ").collect();
        assert_eq!(
            written["answers"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            statuses,
            "{name}"
        );
        let sorted = |value: &Value| {
            strings(value)
                .into_iter()
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(
            sorted(&written["headers"]),
            sorted(&theirs["resp_headers"]),
            "{name}"
        );
        checked += 1;
    }
    assert!(
        compared > 180 && checked > 35,
        "{compared} members, {checked} operations"
    );
}
