//! A running `awsazure-sandbox`: both clouds in a process of their own, ended with the value that
//! stands for it.

use super::{Call, Clouds, World};
use crate::{build_dir, repository};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

pub struct Sandbox {
    process: Child,
    dir: PathBuf,
    /// `https://127.0.0.1:PORT`
    pub url: String,
    environment: BTreeMap<String, String>,
}

/// What was held against the clouds' schemas.
#[derive(Clone, Debug)]
pub struct Schemas {
    pub requests: u64,
    pub answers: u64,
    pub operations: u64,
    pub violations: u64,
    /// All of this as the sandbox words it, and each violation.
    pub words: String,
}

/// Notes for the last lines of `make test` how much was held against the clouds' schemas.
fn checked(requests: u64, answers: u64) {
    if let Ok(path) = std::env::var("AWSAZURE_CHECKED")
        && let Ok(mut file) = fs::OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = file.write_all(format!("{requests} {answers}\n").as_bytes());
    }
}

/// The sandbox's program. Cargo builds a package's programs for its own tests only, so the first
/// test asks for it; the other packages' libraries are built already, which makes that a matter of
/// a moment.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = build_dir();
        let profile = folder.file_name().unwrap().to_string_lossy().into_owned();
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "awsazure-sandbox",
        ]);
        if profile == "release" {
            build.arg("--release");
        }
        build
            .arg("--target-dir")
            .arg(folder.parent().unwrap())
            .current_dir(repository());
        assert!(
            build.status().unwrap().success(),
            "the sandbox cannot be built"
        );
        folder.join("awsazure-sandbox")
    })
}

impl Sandbox {
    /// Starts it on a free port and waits until it answers.
    pub fn start(dir: &Path, clouds: Clouds) -> Self {
        fs::create_dir_all(dir).unwrap();
        let log = fs::File::create(dir.join("sandbox.log")).unwrap();
        let mut process = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir)
            .args([
                "--time-scale",
                &clouds.time_scale.to_string(),
                "--seed",
                &clouds.seed.to_string(),
                "--azure-cloud",
                clouds.azure_cloud,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.ok()?.strip_prefix("ready ").map(str::to_owned));
        let url = ready.unwrap_or_else(|| {
            let _ = process.kill();
            panic!(
                "the sandbox did not start:\n{}",
                fs::read_to_string(dir.join("sandbox.log")).unwrap_or_default()
            )
        });
        // Its further output must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let environment = exports(&fs::read_to_string(dir.join("env")).unwrap());
        Sandbox {
            process,
            dir: dir.to_owned(),
            url,
            environment,
        }
    }

    /// What clients need to find it: the exports of its `env` file.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `awsazure-sandbox` itself, for its other commands.
    pub fn program(&self) -> &'static Path {
        program()
    }

    pub fn world(&self) -> World {
        let output = Command::new(program())
            .arg("world")
            .arg("--dir")
            .arg(&self.dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn calls(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.dir.join("calls.jsonl")).unwrap_or_default();
        // The last line may be half written.
        text.split_inclusive('\n')
            .filter(|l| l.ends_with('\n'))
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    /// How many requests and answers the sandbox has held against the clouds' schemas since it was
    /// started, of how many operations, and what broke them.
    pub fn schemas(&self) -> Schemas {
        let output = Command::new(program())
            .arg("violations")
            .arg("--dir")
            .arg(&self.dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let figure = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default();
            line.trim()
                .parse()
                .unwrap_or_else(|_| panic!("no figure {name} in {text}"))
        };
        let (requests, answers, operations) = (
            figure("requests "),
            figure("answers "),
            figure("operations "),
        );
        Schemas {
            requests,
            answers,
            operations,
            violations: figure("violations "),
            words: text.clone(),
        }
    }

    /// Fails if anything broke a schema, on whichever side; counts for the end of the run if
    /// nothing did.
    fn check_schemas(&self) {
        let seen = self.schemas();
        assert_eq!(
            seen.violations, 0,
            "the clouds' schemas were broken:\n{}",
            seen.words
        );
        println!(
            "{} requests and {} answers held against the clouds' schemas",
            seen.requests, seen.answers
        );
        checked(seen.requests, seen.answers);
    }

    /// `awsazure-sandbox fault --dir DIR ARGS`
    pub fn fault(&self, args: &[&str]) {
        let status = Command::new(program())
            .arg("fault")
            .arg("--dir")
            .arg(&self.dir)
            .args(args)
            .status()
            .unwrap();
        assert!(status.success(), "fault {args:?} was refused");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_schemas();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads `export NAME=value` lines, quoted or not.
fn exports(text: &str) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
    let plain = |value: &str| value.trim_matches(|c| c == '\'' || c == '"').to_owned();
    lines
        .map(|(name, value)| (name.to_owned(), plain(value)))
        .collect()
}
