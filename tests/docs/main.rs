//! The registry's pages under `docs/` are what the schema and the examples say. `make docs` writes
//! them; this test fails where a page on disk is another, is missing, or describes nothing that the
//! provider has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod credentials;
mod guides;
mod page;
mod picture;
mod schema;

use page::Page;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use terraform_plugin::Provider;

/// Folders of `docs/` that hold nothing but generated pages.
const GENERATED: [&str; 3] = ["resources", "data-sources", "functions"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page by its path below `docs/`.
fn pages() -> BTreeMap<PathBuf, String> {
    let provider = awsazure::provider::assemble();
    let short = |name: &str| name.strip_prefix("awsazure_").unwrap_or(name).to_owned();
    let mut pages = BTreeMap::from([(
        PathBuf::from("index.md"),
        Page::provider(&provider.schema()).text(),
    )]);
    for (name, resource) in provider.resources() {
        let page = Page::resource(
            &name,
            &resource.schema(),
            resource.identity_schema().as_ref(),
        );
        pages.insert(format!("resources/{}.md", short(&name)).into(), page.text());
    }
    for (name, source) in provider.data_sources() {
        let page = Page::data_source(&name, &source.schema());
        pages.insert(
            format!("data-sources/{}.md", short(&name)).into(),
            page.text(),
        );
    }
    for (name, function) in provider.functions() {
        pages.insert(
            format!("functions/{name}.md").into(),
            Page::function(&name, &function.signature()).text(),
        );
    }
    pages
}

fn on_disk() -> BTreeSet<PathBuf> {
    let docs = root().join("docs");
    let mut found = BTreeSet::new();
    for folder in GENERATED {
        let Ok(entries) = fs::read_dir(docs.join(folder)) else {
            continue;
        };
        found.extend(entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name())));
    }
    found
}

/// The type by which `fuzz/` reads values: it builds without the provider and the cloud SDKs.
#[test]
fn type_in_fuzz_matches_schema() {
    let path = root().join("fuzz/resource_type.json");
    let notation = [
        &awsazure::provider::bgp_vpn::schema::value_type().to_json()[..],
        b"\n",
    ]
    .concat();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, notation).unwrap();
    } else {
        assert!(
            fs::read(&path).unwrap_or_default() == notation,
            "{} is not the schema's type; run make docs",
            path.display()
        );
    }
}

#[test]
fn pages_on_disk_match_schema() {
    let pages = pages();
    let docs = root().join("docs");
    let stale: Vec<PathBuf> = on_disk()
        .into_iter()
        .filter(|path| !pages.contains_key(path))
        .collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for (path, text) in &pages {
            fs::create_dir_all(docs.join(path).parent().unwrap()).unwrap();
            fs::write(docs.join(path), text).unwrap();
        }
        stale
            .iter()
            .for_each(|path| fs::remove_file(docs.join(path)).unwrap());
        return;
    }
    assert!(
        stale.is_empty(),
        "pages of what the provider does not have: {stale:?}; run make docs"
    );
    for (path, text) in &pages {
        let written = fs::read_to_string(docs.join(path)).unwrap_or_default();
        let differs = written.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(
            written == *text,
            "docs/{} is not what the schema says (first difference in line {}); run make docs",
            path.display(),
            differs.unwrap_or_else(|| written.lines().count().min(text.lines().count())) + 1
        );
    }
}

#[test]
fn every_attribute_is_described() {
    let provider = awsazure::provider::assemble();
    let mut bare = schema::undescribed("provider", &provider.schema().attributes);
    for (name, resource) in provider.resources() {
        bare.extend(schema::undescribed(&name, &resource.schema().attributes));
    }
    for (name, source) in provider.data_sources() {
        bare.extend(schema::undescribed(&name, &source.schema().attributes));
    }
    assert!(bare.is_empty(), "no description: {bare:?}");
}
