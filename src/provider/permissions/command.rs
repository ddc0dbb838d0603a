//! `terraform-provider-awsazure permissions [--plan-only] PATH`: the permissions of every
//! `awsazure_bgp_vpn` block of a file, or of the `.tf` files of a directory, as one JSON document.

use super::{Documents, hcl_value, of_configuration};
use crate::provider::bgp_vpn::{TYPE_NAME, schema};
use bgp_vpn::permissions::{Permissions, Phase, required_by_status};
use hcl_edit::structure::Block;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command does, and its arguments.
pub const USAGE: &str = "usage: terraform-provider-awsazure permissions [--plan-only] PATH\n\n\
PATH is a file in HCL or a directory with .tf files. The command prints the IAM policy and the Azure role that all\n\
awsazure_bgp_vpn blocks together need. A value that is a reference or an expression counts as set.\n\n\
  --plan-only  only what refresh, plan and import need\n";

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("{}", USAGE)]
    Usage,
    #[error("{}: {}", .0.display(), .1)]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{}: {}", .0.display(), .1)]
    Parse(PathBuf, String),
    #[error("{}: there is no {} block", .0.display(), TYPE_NAME)]
    NoBlock(PathBuf),
}

/// Runs the command with the arguments after its name.
pub fn run(arguments: &[String]) -> ExitCode {
    let printed = document(arguments).map(|document| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{document:#}").and_then(|()| out.flush())
    });
    match printed {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// What the command prints.
///
/// # Errors
/// See `CommandError`.
pub fn document(arguments: &[String]) -> Result<Json, CommandError> {
    let (mut phase, mut paths) = (Phase::Apply, Vec::new());
    for argument in arguments {
        match argument.as_str() {
            "--plan-only" => phase = Phase::Plan,
            option if option.starts_with('-') => return Err(CommandError::Usage),
            path => paths.push(PathBuf::from(path)),
        }
    }
    let [path] = paths.as_slice() else {
        return Err(CommandError::Usage);
    };
    let mut found = Found::default();
    for file in files(path)? {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| CommandError::Read(file.clone(), error))?;
        let body = hcl_edit::parser::parse_body(&text)
            .map_err(|error| CommandError::Parse(file.clone(), error.to_string()))?;
        body.blocks().for_each(|block| found.add(block, phase));
    }
    if found.blocks.is_empty() {
        return Err(CommandError::NoBlock(path.clone()));
    }
    let Documents {
        aws_policy,
        azure_role,
    } = Documents::of(&found.permissions, phase);
    Ok(json!({"blocks": found.blocks, "aws_policy": aws_policy, "azure_role": azure_role}))
}

#[derive(Default)]
struct Found {
    blocks: Vec<String>,
    permissions: Permissions,
}

impl Found {
    /// Adds what a block needs. A `check` block may hold a data source.
    fn add(&mut self, block: &Block, phase: Phase) {
        let label = |index: usize| block.labels.get(index).map_or("", |label| label.as_str());
        let address = format!("{}.{}", label(0), label(1));
        match (block.ident.as_str(), label(0)) {
            ("resource", name) if name == TYPE_NAME => {
                let link = hcl_value::of_block(&block.body, schema::value_type());
                self.permissions.extend(of_configuration(&link, phase));
                self.blocks.push(address);
            }
            ("data", "awsazure_bgp_vpn_status") => {
                self.permissions.extend(required_by_status());
                self.blocks.push(format!("data.{address}"));
            }
            ("check", _) => block.body.blocks().for_each(|inner| self.add(inner, phase)),
            _ => {}
        }
    }
}

/// The file, or the `.tf` files of a directory.
fn files(path: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries =
        std::fs::read_dir(path).map_err(|error| CommandError::Read(path.to_owned(), error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "tf"))
        .collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;

    fn of(path: &str, plan_only: bool) -> Json {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let mut arguments = vec![path];
        arguments.extend(plan_only.then(|| "--plan-only".to_owned()));
        document(&arguments).unwrap()
    }

    fn actions(document: &Json) -> Vec<String> {
        let statements = document["aws_policy"]["Statement"].as_array().unwrap();
        let of = |one: &Json| one["Action"].as_array().unwrap().clone();
        let texts = statements.iter().flat_map(of);
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn examples_have_documents() {
        let quickstart = of("examples/quickstart/main.tf", false);
        assert_eq!(quickstart["blocks"], json!(["awsazure_bgp_vpn.link"]));
        assert!(actions(&quickstart).contains(&"ec2:CreateSubnet".to_owned()));
        let plan = of("examples/quickstart", true);
        assert!(
            actions(&plan)
                .iter()
                .all(|action| action.starts_with("ec2:Describe")
                    || action == "servicequotas:GetServiceQuota")
        );
        let shared = of("examples/shared-gateway", false);
        assert_eq!(shared["blocks"].as_array().unwrap().len(), 2);
        let health = of("examples/health-check", false);
        assert!(
            health["blocks"]
                .as_array()
                .unwrap()
                .contains(&json!("data.awsazure_bgp_vpn_status.link"))
        );
        let existing = of("examples/resources/awsazure_bgp_vpn/resource.tf", false);
        assert!(!actions(&existing).contains(&"ec2:CreateVpc".to_owned()));
    }

    #[test]
    fn reject_what_is_no_configuration() {
        assert!(matches!(document(&[]), Err(CommandError::Usage)));
        let none = format!(
            "{}/examples/provider/provider.tf",
            env!("CARGO_MANIFEST_DIR")
        );
        assert!(matches!(document(&[none]), Err(CommandError::NoBlock(_))));
    }
}
