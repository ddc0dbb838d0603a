//! What the guides contain: every block is valid in its language, and every link leads to a file.

use super::root;
use std::fs;
use std::process::{Command, Stdio};
use test_support::terraform::{Block, Guide, terraform_program};

fn guides() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs/guides")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether a program accepts a text at its standard input; what it says otherwise.
fn accepts(program: &mut Command, text: &str) -> Result<(), String> {
    use std::io::Write;
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read everything.
    drop(child.stdin.take().unwrap().write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err([output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat())
}

#[test]
fn blocks_of_guides_are_valid() {
    let terraform = terraform_program();
    for name in guides() {
        for Block { language, text } in Guide::read(&name).blocks {
            let valid = match language.as_str() {
                "sh" => accepts(Command::new("sh").arg("-n"), &text),
                "json" => serde_json::from_str::<serde_json::Value>(&text)
                    .map(drop)
                    .map_err(|error| error.to_string()),
                "terraform" | "hcl" => terraform.as_ref().map_or(Ok(()), |terraform| {
                    accepts(
                        Command::new(terraform).args(["fmt", "-check", "-diff", "-"]),
                        &text,
                    )
                }),
                _ => Ok(()),
            };
            assert!(valid.is_ok(), "{name}: {valid:?} in\n{text}");
        }
    }
}

#[test]
fn links_of_guides_lead_to_files() {
    let folder = root().join("docs/guides");
    for name in guides() {
        let text = Guide::read(&name).text;
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{name}: {target}");
        }
    }
}

/// The guide on HCP Terraform shows the provider block of the example that the tests run.
#[test]
fn hcp_guide_shows_the_example() {
    let example = fs::read_to_string(root().join("examples/hcp-terraform/main.tf")).unwrap();
    let guide = Guide::read("hcp-terraform.md");
    assert!(example.contains(guide.block("terraform", "provider \"awsazure\"")));
    for name in [
        "TF_LOG_PROVIDER=INFO",
        "TFC_AWS_RUN_ROLE_ARN",
        "TFC_AZURE_RUN_CLIENT_ID",
    ] {
        assert!(guide.text.contains(name), "{name}");
    }
}

/// The table of versions lists those that the script runs.
#[test]
fn versions_guide_lists_tested_versions() {
    let script = fs::read_to_string(root().join("scripts/terraforms")).unwrap();
    let tested: Vec<&str> = script
        .lines()
        .filter(|line| line.starts_with("1."))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let guide = Guide::read("terraform-versions.md").text;
    let listed: Vec<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| 1.").map(|_| &line[2..]))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(listed, tested);
    assert_eq!(tested.len(), 5);
}

/// The texts of a source file without its tests, split at values and line ends.
fn fragments(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n").replace("\\\n", "\u{0}");
    let texts = code.split('"').skip(1).step_by(2);
    let mut fragments = Vec::new();
    for text in texts {
        // A continued line starts after its spaces.
        let text: Vec<&str> = text.split('\u{0}').map(str::trim_start).collect();
        let text = text.concat();
        let parts = text
            .split('{')
            .enumerate()
            .map(|(index, part)| match index {
                0 => part,
                _ => part.split_once('}').map_or(part, |(_, rest)| rest),
            });
        let long = parts.filter(|part| part.contains(' ') && part.len() >= 12);
        fragments.extend(long.map(|part| part.trim_end_matches([':', ' ']).to_owned()));
    }
    fragments
}

/// Every diagnosis of a tunnel is in the guide.
#[test]
fn troubleshooting_guide_lists_every_diagnosis() {
    let guide = Guide::read("troubleshooting.md").text;
    let mut count = 0;
    for path in [
        "src/provider/status/diagnose.rs",
        "crates/bgp-vpn/src/mismatches/mod.rs",
    ] {
        let source = fs::read_to_string(root().join(path)).unwrap();
        for fragment in fragments(&source) {
            assert!(guide.contains(&fragment), "{path}: {fragment:?}");
            count += 1;
        }
    }
    assert!(count >= 40, "{count} texts were found");
}
