//! The provider's own program as a process: it ends with its parent process and leaves nothing
//! behind.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use test_support::provider_program;

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// The certificate of a client.
fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .unwrap()
        .cert
        .pem()
}

/// A command with what go-plugin sets, and sockets in that folder.
fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "6")
        .env("PLUGIN_CLIENT_CERT", certificate())
        .env("PLUGIN_UNIX_SOCKET_DIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Waits for the handshake, with which the socket exists.
fn ready(child: &mut Child) -> (String, BufReader<ChildStdout>) {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    (line, output)
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Whether it becomes true within five seconds.
fn soon(mut is: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if is() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Whether a process that is not a child of this one runs. One that has ended may wait for its
/// adopter as a zombie.
fn runs(pid: Pid) -> bool {
    let status =
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !status.contains(") Z ")
}

#[test]
fn signal_that_ends_process_leaves_no_directory() {
    for signal in [Signal::HUP, Signal::QUIT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        // A shell starts background jobs with QUIT ignored, and a test may be part of one.
        let mut reset = command("env", folder.path());
        let mut child = reset
            .arg("--default-signal=HUP,QUIT,TERM")
            .arg(provider_program())
            .spawn()
            .unwrap();
        let _output = ready(&mut child);
        assert_eq!(entries(folder.path()), 1);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(
            soon(|| child.try_wait().unwrap().is_some()),
            "{signal:?} was ignored"
        );
        assert_eq!(entries(folder.path()), 0, "{signal:?}");
    }
}

#[test]
fn hangup_spares_process_started_with_nohup() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = command("sh", folder.path());
    let mut child = shell
        .args(["-c", "trap '' HUP; exec \"$0\""])
        .arg(provider_program())
        .spawn()
        .unwrap();
    let _output = ready(&mut child);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it ended");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(soon(|| child.try_wait().unwrap().is_some()));
}

#[test]
fn process_ends_when_client_died_before_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(provider_program(), folder.path()).spawn().unwrap();
    // What the death of the client does to the pipe. The parent, as this test's process, lives: it
    // could be process 1.
    drop(child.stdout.take());
    assert!(
        soon(|| child.try_wait().unwrap().is_some()),
        "it outlives its client"
    );
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn process_ends_when_parent_dies_after_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = command("sh", folder.path());
    let mut child = shell
        .args(["-c", "\"$0\" & echo $!; wait"])
        .arg(provider_program())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = [String::new(), String::new()];
    for line in &mut lines {
        output.read_line(line).unwrap();
    }
    lines.sort_by_key(|line| line.contains('|'));
    let pid = Pid::from_raw(lines[0].trim().parse().unwrap()).unwrap();
    assert!(lines[1].starts_with("1|6|unix|"), "{}", lines[1]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(soon(|| !runs(pid)), "it outlives its parent");
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn accept_long_missing_or_unset_temporary_directory() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(100));
    std::fs::create_dir(&long).unwrap();
    let missing = folder.path().join("missing");
    for temporary in [
        Some(long.as_path()),
        Some(missing.as_path()),
        Some(Path::new("")),
        None,
    ] {
        let mut command = command(provider_program(), Path::new(""));
        command
            .env_remove("TMPDIR")
            .envs(temporary.map(|path| ("TMPDIR", path)));
        let mut child = command.spawn().unwrap();
        let (line, mut output) = ready(&mut child);
        let socket = line.split('|').nth(3).unwrap().to_owned();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        output.read_to_end(&mut Vec::new()).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(!Path::new(&socket).exists(), "{socket} remains");
    }
    assert_eq!(entries(&long), 0);
}
