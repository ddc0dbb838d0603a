//! Schemas and signatures as markdown, in tfplugindocs' words.

use std::collections::BTreeMap;
use std::fmt::Write;
use terraform_plugin::{
    Attribute, AttributeKind, IdentitySchema, NestedObject, Nesting, Schema, Signature, Type,
};

/// What tfplugindocs puts before attributes of which one is write-only.
const WRITE_ONLY_NOTE: &str = "> **NOTE**: [Write-only arguments](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments) are supported in Terraform 1.11 and later.";

type Attributes = BTreeMap<String, Attribute>;

/// The section that describes all attributes, nested ones below.
pub fn render(schema: &Schema) -> String {
    let mut text = String::from("## Schema\n");
    groups(&mut text, "", &schema.attributes, "### ", "");
    nested(&mut text, "", &schema.attributes);
    text
}

/// The part of the import section that describes the identity.
pub fn render_identity(identity: &IdentitySchema) -> String {
    let mut text = String::from("### Identity Schema\n");
    for (title, required) in [("Required", true), ("Optional", false)] {
        let members: Vec<String> = identity
            .attributes
            .iter()
            .filter(|(_, attribute)| attribute.required_for_import == required)
            .map(|(name, attribute)| {
                let (kind, description) = (type_noun(&attribute.ty), &attribute.description);
                format!("- `{name}` ({kind}) {description}\n")
            })
            .collect();
        if !members.is_empty() {
            let _ = write!(text, "\n#### {title}\n\n{}", members.concat());
        }
    }
    text
}

/// Paths of attributes without a description.
pub fn undescribed(prefix: &str, attributes: &Attributes) -> Vec<String> {
    let mut bare = Vec::new();
    for (name, attribute) in attributes {
        let path = format!("{prefix}.{name}");
        if let AttributeKind::Nested(object) = &attribute.kind {
            bare.extend(undescribed(&path, &object.attributes));
        }
        if attribute.description.is_empty() {
            bare.push(path);
        }
    }
    bare
}

fn groups(text: &mut String, path: &str, attributes: &Attributes, mark: &str, colon: &str) {
    let of = |keep: fn(&Attribute) -> bool| {
        attributes
            .iter()
            .filter(move |(_, attribute)| keep(attribute))
    };
    let mut group = |title: &str, members: Vec<(&String, &Attribute)>| {
        if members.is_empty() {
            return;
        }
        let _ = write!(text, "\n{mark}{title}{colon}\n\n");
        if members.iter().any(|(_, attribute)| attribute.write_only) {
            let _ = write!(text, "{WRITE_ONLY_NOTE}\n\n");
        }
        for (name, attribute) in members {
            let _ = writeln!(text, "{}", line(path, name, attribute));
        }
    };
    group("Required", of(|a| a.required).collect());
    group("Optional", of(|a| a.optional).collect());
    group("Read-Only", of(|a| !a.required && !a.optional).collect());
}

fn line(path: &str, name: &str, attribute: &Attribute) -> String {
    let mut kind = noun(attribute);
    if attribute.sensitive {
        kind.push_str(", Sensitive");
    }
    if attribute.write_only {
        kind.push_str(", [Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)");
    }
    if attribute.deprecated.is_some() {
        kind.push_str(", Deprecated");
    }
    let mut line = format!("- `{name}` ({kind})");
    if !attribute.description.is_empty() {
        let _ = write!(line, " {}", attribute.description);
    }
    if matches!(attribute.kind, AttributeKind::Nested(_)) {
        let _ = write!(
            line,
            " (see [below for nested schema](#{}))",
            anchor(&join(path, name))
        );
    }
    line
}

fn nested(text: &mut String, path: &str, attributes: &Attributes) {
    for (name, attribute) in attributes {
        let AttributeKind::Nested(NestedObject { attributes, .. }) = &attribute.kind else {
            continue;
        };
        let path = join(path, name);
        let _ = write!(
            text,
            "\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n",
            anchor(&path)
        );
        groups(text, &path, attributes, "", ":");
        nested(text, &path, attributes);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn anchor(path: &str) -> String {
    format!("nestedatt--{}", path.replace('.', "--"))
}

fn noun(attribute: &Attribute) -> String {
    match &attribute.kind {
        AttributeKind::Value(ty) => type_noun(ty),
        AttributeKind::Nested(object) => match object.nesting {
            Nesting::Single => "Attributes",
            Nesting::List => "Attributes List",
            Nesting::Set => "Attributes Set",
            Nesting::Map => "Attributes Map",
        }
        .to_owned(),
    }
}

fn type_noun(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".to_owned(),
        Type::String => "String".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_noun(element)),
        Type::Set(element) => format!("Set of {}", type_noun(element)),
        Type::Map(element) => format!("Map of {}", type_noun(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// Signature, arguments and result of a function.
pub fn render_signature(name: &str, signature: &Signature) -> Vec<String> {
    let parameters = signature.parameters.iter().chain(&signature.variadic);
    let named: Vec<String> = parameters
        .clone()
        .map(|p| format!("{} {}", p.name, lower(&p.ty)))
        .collect();
    let dots = if signature.variadic.is_some() {
        "..."
    } else {
        ""
    };
    let shown = format!(
        "{name}({}{dots}) {}",
        named.join(", "),
        lower(&signature.result)
    );
    let mut arguments = String::from("## Arguments\n\n");
    for (index, parameter) in parameters.enumerate() {
        let kind = type_noun(&parameter.ty);
        let _ = writeln!(
            arguments,
            "{}. `{}` ({kind}) {}",
            index + 1,
            parameter.name,
            parameter.description
        );
    }
    let mut sections = vec![format!("## Signature\n\n```text\n{shown}\n```"), arguments];
    if let Some(attributes) = result_object(&signature.result) {
        let mut result = String::from("## Result\n\nEach element has:\n\n");
        for (name, ty) in attributes {
            let _ = writeln!(result, "- `{name}` ({})", type_noun(ty));
        }
        sections.push(result);
    }
    sections
}

fn result_object(ty: &Type) -> Option<&BTreeMap<String, Type>> {
    match ty {
        Type::Map(element) | Type::List(element) | Type::Set(element) => result_object(element),
        Type::Object(attributes) => Some(attributes),
        _ => None,
    }
}

fn lower(ty: &Type) -> String {
    type_noun(ty).to_lowercase()
}
