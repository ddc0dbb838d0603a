//! One [`TestEnv`] a test: a temporary folder with a running `awsazure-sandbox`, the built
//! provider, and real terraform (or tofu) between them. Everything ends with it.
//!
//! Every successful run of terraform is also checked for what must never be there: a warning or
//! error in the log, and Terraform's own complaint that a provider produced something inconsistent.
//! And no run, however it ends, may show a shared key: not in what it prints, nor in state, plan
//! and log, the provider's being at its most talkative.

mod cloud_admin;
mod config;
mod guide;
mod http_state;
mod manual_setup;
mod plan;
pub mod python;
mod remote_run;
mod sandbox;
mod scenario;
mod secrets;
mod world;

pub use cloud_admin::CloudAdmin;
pub use config::Link;
pub use guide::{Block, Guide};
pub use http_state::HttpState;
pub use manual_setup::{Ends, Groups, Placeholder, Tunnels, slot};
pub use plan::{Change, Plan};
pub use remote_run::{DEFAULT_ACCOUNT, Planned, RemoteRuns, Workspace};
pub use sandbox::{Sandbox, Schemas, program as sandbox_program};
pub use scenario::{Scenario, census, has_warning, text};
pub use world::{Call, Object, World};

use crate::simulated::is_read;
use crate::{provider_program, repository};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Notes that a test cannot run here: printed, and kept for the last line of `make test`.
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
    if let Ok(path) = std::env::var("AWSAZURE_SKIPPED")
        && let Ok(mut file) = fs::OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = writeln!(file, "{why}");
    }
}

/// `$TERRAFORM`, `terraform` or `tofu`, whichever answers first. None, noted as skipped, where there
/// is none.
pub fn terraform_program() -> Option<PathBuf> {
    let wanted = std::env::var("TERRAFORM").ok();
    let candidates = wanted
        .into_iter()
        .chain(["terraform".to_owned(), "tofu".to_owned()]);
    let works = |name: &String| {
        let version = Command::new(name)
            .arg("version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(works).map(PathBuf::from);
    if found.is_none() {
        skip("tests with real Terraform (no terraform or tofu on the PATH)");
    }
    found
}

/// Whether the program is at least this version of Terraform; false for another program.
pub fn is_terraform_since(program: &Path, minor: u32) -> bool {
    let output = Command::new(program)
        .args(["version", "-json"])
        .env("CHECKPOINT_DISABLE", "1")
        .output();
    let version: Value = output
        .ok()
        .and_then(|output| serde_json::from_slice(&output.stdout).ok())
        .unwrap_or_default();
    let parts = version["terraform_version"].as_str().unwrap_or_default();
    let found = parts.split('.').nth(1).and_then(|part| part.parse().ok());
    found.is_some_and(|found: u32| found >= minor)
}

/// The folder below a mirror where Terraform looks for this version of the provider.
pub fn mirror_folder() -> PathBuf {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("registry.terraform.io/awsazure/awsazure/{version}/{os}_{arch}").into()
}

/// How a run of terraform ended.
#[derive(Clone, Debug)]
pub struct Run {
    pub args: String,
    /// None when it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What it logged: the provider at trace level, Terraform from warnings up unless `TF_LOG_CORE`
    /// is set otherwise.
    pub log: String,
}

impl Run {
    pub fn succeeded(&self) -> bool {
        // 2: `plan -detailed-exitcode` with changes.
        matches!(self.code, Some(0 | 2))
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Both streams on one line, without the frames and line breaks that Terraform puts around
    /// messages.
    pub fn words(&self) -> String {
        let framed = |c: char| c.is_whitespace() || "│╷╵".contains(c);
        self.text()
            .split(framed)
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn check(self) -> Self {
        let text = self.text();
        assert!(
            !text.contains("Provider produced"),
            "terraform {}:\n{text}",
            self.args
        );
        if self.succeeded() {
            // Terraform 1.15 reports providers that are not installed yet, and its own built-in one.
            let known = |line: &&str| {
                line.contains("terraform.io/builtin/terraform")
                    || line.contains("unavailable provider")
            };
            let loud = |line: &&str| line.contains("[WARN]") || line.contains("[ERROR]");
            let loud: Vec<&str> = self
                .log
                .lines()
                .filter(loud)
                .filter(|line| !known(line))
                .collect();
            assert!(
                loud.is_empty(),
                "terraform {} logged:\n{}",
                self.args,
                loud.join("\n")
            );
        }
        self
    }
}

/// How the clouds of an environment are.
#[derive(Clone, Copy, Debug)]
pub struct Clouds {
    /// How much faster than real time passes.
    pub time_scale: u32,
    pub seed: u64,
    /// Which Azure: `public`, `usgovernment` or `china`.
    pub azure_cloud: &'static str,
}

impl Default for Clouds {
    /// Half an hour in a second and a half.
    fn default() -> Self {
        Clouds {
            time_scale: 1200,
            seed: 1,
            azure_cloud: "public",
        }
    }
}

/// A folder, two clouds, a provider and terraform.
pub struct TestEnv {
    // Declared first: dropped first, while its folder is still there.
    sandbox: Sandbox,
    terraform: PathBuf,
    variables: BTreeMap<String, String>,
    /// Every shared key that the world was seen to hold.
    keys: RefCell<BTreeSet<String>>,
    root: TempDir,
}

impl TestEnv {
    /// None, noted as skipped, where there is no terraform.
    pub fn new() -> Option<Self> {
        Self::with(Clouds::default())
    }

    pub fn with(clouds: Clouds) -> Option<Self> {
        Self::with_world(clouds, |_| {})
    }

    /// Lets `prepare` fill the sandbox's folder first, such as with a world to start from.
    pub fn with_world(clouds: Clouds, prepare: impl FnOnce(&Path)) -> Option<Self> {
        let terraform = terraform_program()?;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("plugins")).unwrap();
        fs::create_dir_all(root.path().join("config")).unwrap();
        link(
            provider_program(),
            &root.path().join("plugins/terraform-provider-awsazure"),
        );
        let overrides = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"awsazure/awsazure\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            root.path().join("plugins")
        );
        fs::write(root.path().join("cli.tfrc"), overrides).unwrap();
        prepare(&root.path().join("clouds"));
        let sandbox = Sandbox::start(&root.path().join("clouds"), clouds);
        Some(TestEnv {
            sandbox,
            terraform,
            variables: BTreeMap::new(),
            keys: RefCell::default(),
            root,
        })
    }

    /// Where the configuration is.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("config")
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Sets the configuration, with the provider's source put in front.
    pub fn write(&self, main_tf: &str) {
        let source = "terraform {\n  required_providers {\n    awsazure = { source = \"awsazure/awsazure\" }\n  }\n}\n\n";
        self.write_file("main.tf", &format!("{source}{main_tf}"));
    }

    pub fn write_file(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    pub fn remove_file(&self, name: &str) {
        fs::remove_file(self.folder().join(name)).unwrap();
    }

    /// Takes the configuration of a folder under `examples/` as it is.
    pub fn write_example(&self, name: &str) {
        let folder = repository().join("examples").join(name);
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), self.folder().join(entry.file_name())).unwrap();
        }
    }

    /// Sets an environment variable for all further runs: `TF_VAR_...` sets an input variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// A terraform command, ready to start: for tests that kill or interrupt it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.terraform);
        command
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .envs(
                ["PATH", "TMPDIR"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("HOME", self.root.path())
            .env("TF_CLI_CONFIG_FILE", self.root.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_INPUT", "0")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_LOG_CORE", "warn")
            .env("TF_LOG_PROVIDER", "trace")
            .env("TF_LOG_PATH", self.log())
            .envs(self.sandbox.environment())
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    fn log(&self) -> PathBuf {
        self.root.path().join("terraform.log")
    }

    /// Runs terraform to its end, however that may be.
    pub fn run(&self, args: &[&str]) -> Run {
        let _ = fs::remove_file(self.log());
        let output = self.command(args).output().unwrap();
        let run = Run {
            args: args.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            log: fs::read_to_string(self.log()).unwrap_or_default(),
        };
        self.no_key_in(&run);
        run.check()
    }

    /// No shared key that the world holds, or held after an earlier run, is in anything that a run
    /// leaves behind.
    fn no_key_in(&self, run: &Run) {
        let mut keys = self.keys.borrow_mut();
        keys.extend(secrets::keys_of_world(self.sandbox.dir()));
        let read = |name: &str| fs::read_to_string(self.folder().join(name)).unwrap_or_default();
        let (state, backup) = (read("terraform.tfstate"), read("terraform.tfstate.backup"));
        secrets::assert_none(
            &keys,
            &[
                ("output", &run.stdout),
                ("errors", &run.stderr),
                ("log", &run.log),
                ("state", &secrets::readable(&state)),
                ("backup of the state", &secrets::readable(&backup)),
            ],
        );
    }

    /// How many shared keys were looked for so far.
    pub fn keys_seen(&self) -> usize {
        self.keys.borrow().len()
    }

    /// Runs terraform, which must succeed.
    pub fn ok(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert!(run.succeeded(), "terraform {}:\n{}", run.args, run.text());
        run
    }

    pub fn apply(&self) -> Run {
        self.ok(&["apply", "-auto-approve", "-no-color"])
    }

    /// Applies what must fail; returns what it said.
    pub fn apply_fails(&self) -> Run {
        let run = self.run(&["apply", "-auto-approve", "-no-color"]);
        assert!(
            !run.succeeded(),
            "the apply should have failed:\n{}",
            run.stdout
        );
        run
    }

    pub fn plan(&self) -> Plan {
        let file = self.root.path().join("planned");
        let out = format!("-out={}", file.display());
        let run = self.ok(&["plan", "-no-color", &out]);
        let shown = self.ok(&["show", "-json", &file.display().to_string()]);
        Plan {
            json: serde_json::from_str(&shown.stdout).unwrap(),
            text: run.stdout,
        }
    }

    /// Plans what must be refused; returns what it said.
    pub fn plan_fails(&self) -> Run {
        let run = self.run(&["plan", "-no-color"]);
        assert!(
            !run.succeeded(),
            "the plan should have failed:\n{}",
            run.stdout
        );
        run
    }

    /// Whether a plan has nothing to do, not even to an output. Shows what it would do otherwise.
    pub fn plan_is_empty(&self) -> bool {
        let run = self.ok(&["plan", "-no-color", "-detailed-exitcode"]);
        if run.code != Some(0) {
            eprintln!("{}", run.stdout);
        }
        run.code == Some(0)
    }

    pub fn destroy(&self) -> Run {
        self.ok(&["destroy", "-auto-approve", "-no-color"])
    }

    pub fn import(&self, address: &str, id: &str) -> Run {
        self.ok(&["import", "-no-color", address, id])
    }

    /// The state file as JSON, null before the first apply.
    pub fn state(&self) -> Value {
        let text = fs::read_to_string(self.folder().join("terraform.tfstate"))
            .unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&text).unwrap()
    }

    /// Attributes of a resource instance in the state; null where there is none.
    pub fn resource(&self, kind: &str, name: &str) -> Value {
        let state = self.state();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let found = resources
            .into_iter()
            .find(|r| r["type"] == kind && r["name"] == name && r["mode"] == "managed");
        found.map_or(Value::Null, |r| r["instances"][0]["attributes"].clone())
    }

    /// Attributes of a link in the state; null where there is none.
    pub fn link(&self, label: &str) -> Value {
        self.resource("awsazure_bgp_vpn", label)
    }

    /// The value of an output.
    pub fn output(&self, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["output", "-json", name]).stdout).unwrap()
    }

    /// Manual changes in both clouds.
    pub fn cloud_admin(&self) -> CloudAdmin {
        CloudAdmin::of(&self.sandbox)
    }

    /// Every object of both clouds.
    pub fn world(&self) -> World {
        self.sandbox.world()
    }

    /// Every call that was made to either cloud so far.
    pub fn calls(&self) -> Vec<Call> {
        self.sandbox.calls()
    }

    /// Calls that write, made since the log had that many lines: operation and target.
    pub fn writes_since(&self, since: usize) -> Vec<String> {
        let signs_in = |operation: &str| operation.to_lowercase().contains("token");
        let calls = self.calls().into_iter().skip(since);
        let calls = calls.filter(|call| !is_read(&call.operation) && !signs_in(&call.operation));
        calls
            .map(|call| format!("{} {}", call.operation, call.target.unwrap_or_default()))
            .collect()
    }

    /// Whether neither cloud has an object of these kinds.
    pub fn has_none_of(&self, kinds: &[&str]) -> bool {
        let world = self.world();
        kinds.iter().all(|kind| world.of_kind(kind).is_empty())
    }

    /// Adds to what goes wrong on purpose.
    pub fn fault(&self, fault: &str) {
        self.sandbox.fault(&[fault]);
    }
}

fn link(from: &Path, to: &Path) {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .unwrap();
}
