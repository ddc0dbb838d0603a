//! Renders every diagnostic of the provider into `tests/snapshots/diagnostics.txt`, which is
//! reviewed like code.
//!
//! `UPDATE=1 cargo test --lib diagnostics_match_snapshot` rewrites the file. A variant of an error
//! enum without a sample does not compile. A summary of another diagnostic that the file lacks
//! fails `every_summary_is_in_snapshot`.

mod account;
mod apply;
mod configuration;
mod plan;
mod preflight;
mod protocol;
mod status;

use crate::azure::id::ResourceId;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use terraform_plugin::Diagnostic;

/// One sample of every variant. A new variant does not compile until it has one.
macro_rules! samples {
    ($enum:ty { $($pattern:pat => $sample:expr),+ $(,)? }) => {{
        let _complete = |value: &$enum| match value { $($pattern => (),)+ };
        vec![$({
            let sample: $enum = $sample;
            assert!(matches!(&sample, $pattern), "{sample:?} is not a sample of {}", stringify!($pattern));
            sample
        }),+]
    }};
}
use samples;

fn root() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.ancestors()
        .find(|folder| folder.join("tests/snapshots").is_dir())
        .unwrap()
        .to_owned()
}

fn snapshot_path() -> PathBuf {
    root().join("tests/snapshots/diagnostics.txt")
}

fn azure(kind: &str, name: &str) -> ResourceId {
    ResourceId::parse(&format!(
        "/subscriptions/SUB/resourceGroups/prod-rg/providers/Microsoft.Network/{kind}/{name}"
    ))
    .unwrap()
}

fn gateway() -> ResourceId {
    azure("virtualNetworkGateways", "prod-gateway")
}

fn render(text: &mut String, title: &str, diagnostics: impl IntoIterator<Item = Diagnostic>) {
    writeln!(text, "# {title}\n").unwrap();
    for diagnostic in diagnostics {
        let severity = if diagnostic.is_error() {
            "Error"
        } else {
            "Warning"
        };
        writeln!(text, "{severity}: {}", diagnostic.summary).unwrap();
        if let Some(path) = &diagnostic.path {
            writeln!(text, "  at {path}").unwrap();
        }
        for line in diagnostic.detail.lines() {
            writeln!(text, "{}", format!("  {line}").trim_end()).unwrap();
        }
        text.push('\n');
    }
}

fn rendered() -> String {
    let mut text = String::new();
    render(&mut text, "Provider block", configuration::provider_block());
    render(
        &mut text,
        "Configuration of a link",
        configuration::violations(),
    );
    render(&mut text, "Conflicts with the clouds", preflight::issues());
    render(
        &mut text,
        "What account and subscription do not allow",
        account::issues(),
    );
    render(
        &mut text,
        "Other errors and warnings of a plan",
        plan::diagnostics(),
    );
    render(&mut text, "Errors of an apply", apply::action_errors());
    render(&mut text, "Errors of calls to AWS", apply::aws_errors());
    render(&mut text, "Errors of calls to Azure", apply::azure_errors());
    render(
        &mut text,
        "Other errors and warnings of an apply or a read",
        apply::others(),
    );
    render(&mut text, "Import", apply::import());
    render(
        &mut text,
        "Data source awsazure_bgp_vpn_status",
        status::diagnostics(),
    );
    render(&mut text, "Terraform protocol", protocol::errors());
    text
}

#[test]
fn diagnostics_match_snapshot() {
    let rendered = rendered();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(snapshot_path(), &rendered).unwrap();
    }
    let stored = std::fs::read_to_string(snapshot_path()).unwrap_or_default();
    let difference = rendered
        .lines()
        .zip(stored.lines())
        .position(|(new, old)| new != old);
    let line = difference.unwrap_or_else(|| rendered.lines().count().min(stored.lines().count()));
    assert!(
        rendered == stored,
        "tests/snapshots/diagnostics.txt differs from line {}:\n  rendered: {:?}\n  stored:   {:?}\nReview the text, then run: \
         UPDATE=1 cargo test --lib diagnostics_match_snapshot",
        line + 1,
        rendered.lines().nth(line),
        stored.lines().nth(line)
    );
}

fn summaries(severity: &str) -> Vec<String> {
    let text = rendered();
    let prefix = format!("{severity}: ");
    text.lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
        .collect()
}

#[test]
fn error_summaries_start_with_standard_words() {
    let words = [
        "Invalid ",
        "Missing ",
        "Conflicting ",
        "Unsupported ",
        "Unable to ",
    ];
    for summary in summaries("Error") {
        assert!(
            words.iter().any(|word| summary.starts_with(word)),
            "{summary}"
        );
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Text literals in product code that start a summary: after `Diagnostic::error(`, after
/// `Diagnostic::warning(` and in the modules `summaries`.
fn summary_literals() -> BTreeSet<String> {
    let mut files = Vec::new();
    let folders = [root().join("src"), root().join("crates")];
    folders
        .iter()
        .filter(|folder| folder.is_dir())
        .for_each(|folder| sources(folder, &mut files));
    let mut found = BTreeSet::new();
    for file in files
        .iter()
        .filter(|file| !file.to_string_lossy().contains("test-support"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: Vec<&str> = product
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let product = code.join("\n");
        let starts: &[&str] = match file.ends_with("summaries.rs") {
            true => &[": &str ="],
            false => &["Diagnostic::error(", "Diagnostic::warning("],
        };
        for start in starts {
            for rest in product.split(start).skip(1) {
                let rest = rest
                    .trim_start()
                    .trim_start_matches("format!(")
                    .trim_start();
                let Some(literal) = rest
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next())
                else {
                    continue;
                };
                let literal = literal.split('{').next().unwrap_or_default();
                found.insert(literal.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_summary_is_in_snapshot() {
    let rendered: Vec<String> = ["Error", "Warning"]
        .into_iter()
        .flat_map(summaries)
        .collect();
    let literals = summary_literals();
    assert!(literals.len() > 50, "{literals:?}");
    let missing: Vec<&String> = literals
        .iter()
        .filter(|literal| {
            !rendered
                .iter()
                .any(|summary| summary.starts_with(literal.as_str()))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "not in tests/snapshots/diagnostics.txt: {missing:#?}"
    );
}

/// Words for which technical English has a standard term.
const ODD_WORDS: [&str; 17] = [
    "told",
    "anew",
    "beside",
    "mend",
    "mends",
    "mended",
    "whole",
    "nobody",
    "somebody",
    "somebody's",
    "nobody's",
    "whoever",
    "whatever",
    "hands off",
    "goes on",
    "at hand",
    "dials",
];

#[test]
fn user_facing_text_has_standard_terms() {
    let mut files = vec![snapshot_path(), root().join("README.md")];
    let mut folders = vec![
        root().join("docs/resources"),
        root().join("docs/data-sources"),
        root().join("docs/functions"),
    ];
    files.push(root().join("docs/index.md"));
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        files.extend(
            std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .unwrap()
            .to_lowercase()
            .replace("whole number", "");
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| !word.is_empty())
            .collect();
        let text = format!(" {} ", words.join(" "));
        let odd = ODD_WORDS
            .iter()
            .filter(|word| text.contains(&format!(" {word} ")));
        found.extend(odd.map(|word| format!("{}: {word}", file.display())));
    }
    assert!(found.is_empty(), "{found:#?}");
}
