//! Network namespaces with names of this lab only, and commands in them.

use crate::LabError;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian keeps what only root runs; a user's PATH may lack them.
const PROGRAM_FOLDERS: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
const PLUGIN_FOLDER: &str = "/usr/lib/ipsec/plugins";
const PACKAGES: &str = "charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-standard-plugins \
                        libstrongswan-extra-plugins bird2 iputils-ping iproute2";

/// What this machine lacks of what a lab needs, in words; None where a lab can run.
pub fn missing() -> Option<String> {
    if fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        return Some("root".to_owned());
    }
    let programs = ["ip", "setpriv", "tee", "charon-systemd", "bird", "ping"];
    let plugins = [
        "libstrongswan-vici.so",
        "libstrongswan-kernel-libipsec.so",
        "libstrongswan-openssl.so",
    ];
    let absent = programs.into_iter().find(|name| program(name).is_none());
    let absent = absent.or_else(|| {
        plugins
            .into_iter()
            .find(|name| !Path::new(PLUGIN_FOLDER).join(name).exists())
    });
    if let Some(absent) = absent {
        return Some(format!(
            "{absent}: apt-get install --no-install-recommends {PACKAGES}"
        ));
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("/dev/net/tun".to_owned());
    }
    let mut trial = Namespaces::new();
    trial
        .add("trial", false)
        .err()
        .map(|error| format!("network namespaces ({error})"))
}

/// The path of a program.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path
        .split(':')
        .chain(PROGRAM_FOLDERS.split(':'))
        .filter(|folder| !folder.is_empty());
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

fn start(name: &str) -> Command {
    Command::new(program(name).unwrap_or_else(|| PathBuf::from(name)))
}

/// All namespaces of one lab; they go with it.
#[derive(Debug)]
pub(super) struct Namespaces {
    prefix: String,
    names: BTreeSet<String>,
}

impl Namespaces {
    /// A prefix that no other lab of this machine has: by process and, within it, by count.
    pub fn new() -> Namespaces {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Namespaces {
            prefix: format!("awsazure-{}-{count}-", std::process::id()),
            names: BTreeSet::new(),
        }
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name by which `ip netns` knows it.
    pub fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A new namespace with its loopback up. One that `forwards` routes, and takes packets from
    /// wherever they come.
    pub fn add(&mut self, name: &str, forwards: bool) -> Result<(), LabError> {
        run(start("ip").args(["netns", "add", &self.full(name)]), "")?;
        self.names.insert(name.to_owned());
        let conf = "/proc/sys/net/ipv4/conf";
        let mut tee = self.command(name, "tee");
        run(
            tee.arg(format!("{conf}/all/rp_filter"))
                .arg(format!("{conf}/default/rp_filter")),
            "0",
        )?;
        if forwards {
            run(
                self.command(name, "tee")
                    .arg("/proc/sys/net/ipv4/ip_forward"),
                "1",
            )?;
        }
        self.ip(name, "link set lo up\n")
    }

    pub fn remove(&mut self, name: &str) {
        if self.names.remove(name) {
            let _ = start("ip")
                .args(["netns", "del", &self.full(name)])
                .stderr(Stdio::null())
                .status();
        }
    }

    /// Runs lines of `ip` in a namespace, until one fails.
    pub fn ip(&self, name: &str, lines: &str) -> Result<(), LabError> {
        run(
            start("ip").args(["-n", &self.full(name), "-batch", "-"]),
            lines,
        )
        .map(drop)
    }

    /// Runs all lines, some of which may fail.
    pub fn ip_try(&self, name: &str, lines: &str) {
        let _ = run(
            start("ip").args(["-n", &self.full(name), "-force", "-batch", "-"]),
            lines,
        );
    }

    pub fn has_device(&self, name: &str, device: &str) -> bool {
        run(
            start("ip").args(["-n", &self.full(name), "link", "show", "dev", device]),
            "",
        )
        .is_ok()
    }

    /// A command in a namespace that dies with the thread that starts it, should that be killed.
    pub fn command(&self, name: &str, program_name: &str) -> Command {
        let mut command = start("ip");
        command.args(["netns", "exec", &self.full(name)]);
        command
            .arg(program("setpriv").unwrap_or_else(|| "setpriv".into()))
            .args(["--pdeathsig", "KILL"]);
        command.arg(program(program_name).unwrap_or_else(|| program_name.into()));
        command
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in std::mem::take(&mut self.names) {
            let _ = start("ip")
                .args(["netns", "del", &self.full(&name)])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Removes what a lab that was killed left behind: every namespace of that prefix. Its daemons died
/// with it.
pub(super) fn remove_namespaces(prefix: &str) {
    for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !prefix.is_empty() && name.starts_with(prefix) {
            let _ = start("ip")
                .args(["netns", "del", &name])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Runs a command with that input to its end, which must be good.
fn run(command: &mut Command, input: &str) -> Result<Output, LabError> {
    let failed = |command: &Command, message: String| {
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let program = Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        LabError::Command {
            command: format!("{program} {}", words.join(" ")),
            message,
        }
    };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| failed(command, error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends before it has read all says why itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(command, error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(
        command,
        if input.trim().is_empty() {
            said
        } else {
            format!("{said} (of: {})", input.trim())
        },
    ))
}
