//! A running `awsazure-sandbox`: both clouds in a process of their own, ended with the value that stands for it.

use super::{Call, Clouds, PROVIDER, World};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
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

/// The sandbox's program. Cargo builds a package's programs for its own tests only, so the first test asks for it; the
/// other packages' libraries are built already, which makes that a matter of a moment.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(PROVIDER).parent().unwrap();
        let profile = folder.file_name().unwrap().to_string_lossy().into_owned();
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--workspace", "--bin", "awsazure-sandbox"]);
        if profile == "release" {
            build.arg("--release");
        }
        build.arg("--target-dir").arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "the sandbox cannot be built");
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
            .args(["--time-scale", &clouds.time_scale.to_string(), "--seed", &clouds.seed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.ok()?.strip_prefix("ready ").map(str::to_owned));
        let url = ready.unwrap_or_else(|| {
            let _ = process.kill();
            panic!("the sandbox did not start:\n{}", fs::read_to_string(dir.join("sandbox.log")).unwrap_or_default())
        });
        // Whatever it may still print must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let environment = exports(&fs::read_to_string(dir.join("env")).unwrap());
        Sandbox { process, dir: dir.to_owned(), url, environment }
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
        let output = Command::new(program()).arg("world").arg("--dir").arg(&self.dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn calls(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.dir.join("calls.jsonl")).unwrap_or_default();
        // The last line may be half written.
        text.split_inclusive('\n').filter(|l| l.ends_with('\n')).map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// `awsazure-sandbox fault --dir DIR ARGS`
    pub fn fault(&self, args: &[&str]) {
        let status = Command::new(program()).arg("fault").arg("--dir").arg(&self.dir).args(args).status().unwrap();
        assert!(status.success(), "fault {args:?} was refused");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads `export NAME=value` lines, quoted or not.
fn exports(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
    let plain = |value: &str| value.trim_matches(|c| c == '\'' || c == '"').to_owned();
    lines.map(|(name, value)| (name.to_owned(), plain(value))).collect()
}
