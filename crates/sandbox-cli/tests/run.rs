//! `awsazure-sandbox run` and `exec`: what the command sees, which signals reach it, how it ends
//! and what remains.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_awsazure-sandbox");

/// `awsazure-sandbox ARGUMENTS -- COMMAND`
fn sandbox(arguments: &[&str], command: &[&str]) -> Command {
    let mut process = Command::new(PROGRAM);
    process
        .args(arguments)
        .arg("--")
        .args(command)
        .stdin(Stdio::null());
    process
}

fn shell(arguments: &[&str], script: &str) -> Output {
    sandbox(arguments, &["sh", "-c", script])
        .env("SANDBOX", PROGRAM)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn variables(output: &Output) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn run_hides_real_credentials_and_removes_temporary_world() {
    let real = [
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "ARM_USE_OIDC",
        "ARM_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
        "IDENTITY_ENDPOINT",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
    ];
    let mut process = sandbox(&["run"], &["env"]);
    process
        .envs(real.map(|name| (name, "real")))
        .env("AWS_ACCESS_KEY_ID", "real")
        .env("OTHER", "kept");
    let output = process.env("NO_PROXY", "example.com").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let seen = variables(&output);
    assert!(!seen.values().any(|value| value == "real"), "{seen:?}");
    assert_eq!(
        (seen["OTHER"].as_str(), seen["NO_PROXY"].as_str()),
        ("kept", "127.0.0.1,localhost,example.com")
    );
    assert!(seen["AWS_ENDPOINT_URL"].starts_with("https://127.0.0.1:"));
    assert_eq!(
        format!("https://{}", seen["ARM_METADATA_HOSTNAME"]),
        seen["AWS_ENDPOINT_URL"]
    );
    assert_eq!(
        (
            seen["AWS_CONFIG_FILE"].as_str(),
            seen["AWS_SHARED_CREDENTIALS_FILE"].as_str()
        ),
        ("/dev/null", "/dev/null")
    );
    let directory = Path::new(&seen["AWSAZURE_SANDBOX_DIR"]);
    assert!(Path::new(&seen["AZURE_CONFIG_DIR"]).starts_with(directory));
    assert!(!directory.exists(), "the temporary world remains");
}

#[test]
fn env_file_unsets_real_cloud_variables() {
    let folder = tempfile::tempdir().unwrap();
    let script = ". \"$AWSAZURE_SANDBOX_DIR/env\"; env";
    let with_env = format!(
        "AWS_PROFILE=real ARM_USE_OIDC=real MSI_ENDPOINT=real; export AWS_PROFILE ARM_USE_OIDC MSI_ENDPOINT; {script}"
    );
    let output = shell(
        &["run", "--dir", folder.path().to_str().unwrap()],
        &with_env,
    );
    let seen = variables(&output);
    assert!(
        output.status.success() && seen.contains_key("AWS_ENDPOINT_URL"),
        "{}",
        text(&output)
    );
    assert!(!seen.values().any(|value| value == "real"), "{seen:?}");
}

#[test]
fn run_returns_exit_code_signal_or_start_failure() {
    let code = |command: &[&str]| sandbox(&["run"], command).output().unwrap().status.code();
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "kill -KILL $$"]), Some(137));
    assert_eq!(code(&["/nowhere/terraform"]), Some(127));
    assert_eq!(code(&["/"]), Some(126));
    let refused = sandbox(&["run", "--listen", "192.0.2.1:0"], &["true"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(125), "{}", text(&refused));
}

#[test]
fn run_keeps_world_of_directory_and_refuses_second_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let place = ["run", "--dir", folder.path().to_str().unwrap()];
    let rule = "fail call 1 of GetMetadataEndpoints: forever dropped";
    let first = shell(&place, &format!("\"$SANDBOX\" fault '{rule}'"));
    assert!(first.status.success(), "{}", text(&first));
    let second = shell(&place, "\"$SANDBOX\" fault && \"$SANDBOX\" world");
    assert!(
        second.status.success() && text(&second).contains(rule),
        "{}",
        text(&second)
    );
    // The same directory, while it is served.
    let nested = shell(
        &place,
        "\"$SANDBOX\" run --dir \"$AWSAZURE_SANDBOX_DIR\" -- true",
    );
    assert_eq!(nested.status.code(), Some(125), "{}", text(&nested));
    let served = shell(&place, "\"$SANDBOX\" serve --dir \"$AWSAZURE_SANDBOX_DIR\"");
    assert_eq!(served.status.code(), Some(1), "{}", text(&served));
}

#[test]
fn exec_needs_running_sandbox_and_joins_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let refused = |dir: &str| {
        sandbox(&["exec", "--dir", dir], &["touch", &format!("{dir}/ran")])
            .output()
            .unwrap()
    };
    assert_eq!(refused(dir).status.code(), Some(125));
    assert!(!refused("/nowhere/clouds").status.success());
    let joined = shell(
        &["run", "--dir", dir],
        "echo \"URL=$AWS_ENDPOINT_URL\"; \"$SANDBOX\" exec -- env",
    );
    assert!(joined.status.success(), "{}", text(&joined));
    let seen = variables(&joined);
    assert_eq!(seen["URL"], seen["AWS_ENDPOINT_URL"]);
    assert_eq!(refused(dir).status.code(), Some(125), "it has ended");
    assert!(!folder.path().join("ran").exists());
}

/// Counts interrupts for a second, then asks the sandbox for its world, and ends with the count, or
/// 99 without an answer.
const COUNTING: &str = r#"
    n=0; trap 'n=$((n+1))' INT
    echo waiting
    i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done
    "$SANDBOX" world >/dev/null || exit 99
    exit $n
"#;

/// Starts it in a process group of its own, and waits until it prints `waiting`.
///
/// Signals that this process ignores, as under `nohup`, would be ignored there as well.
fn waiting(script: &str) -> Child {
    let mut process = Command::new("env");
    process
        .args([
            "--default-signal=HUP,INT,QUIT,TERM",
            PROGRAM,
            "run",
            "--",
            "sh",
            "-c",
            script,
        ])
        .stdin(Stdio::null());
    process
        .env("SANDBOX", PROGRAM)
        .stdout(Stdio::piped())
        .process_group(0);
    let mut child = process.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "waiting"));
    child
}

#[test]
fn interrupt_reaches_command_once_while_sandbox_serves() {
    for to_group in [true, false] {
        let mut child = waiting(COUNTING);
        let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        if to_group {
            kill_process_group(id, Signal::INT)
        } else {
            kill_process(id, Signal::INT)
        }
        .unwrap();
        assert_eq!(
            child.wait().unwrap().code(),
            Some(1),
            "to the group: {to_group}"
        );
    }
}

#[test]
fn forward_terminate_and_hangup_signals() {
    let script =
        "trap 'exit 3' TERM; trap 'exit 4' HUP; echo waiting; while :; do sleep 0.05; done";
    for (signal, code) in [(Signal::TERM, 3), (Signal::HUP, 4)] {
        let mut child = waiting(script);
        kill_process(
            Pid::from_raw(child.id().try_into().unwrap()).unwrap(),
            signal,
        )
        .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

/// In a terminal of its own (util-linux's `script`), with that typed once it prints `waiting`.
fn in_terminal(script: &str, typed: &[u8]) -> Option<Output> {
    // Without `exec`, a shell such as dash stays in between, gets Ctrl-C as well and ends with 130.
    let line = format!("exec '{PROGRAM}' run -- sh -c '{script}'");
    let mut process = Command::new("script");
    process
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("SANDBOX", PROGRAM);
    let mut child = process
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut lines = BufReader::new(output).lines();
    assert!(lines.any(|line| line.unwrap().trim() == "waiting"));
    input.write_all(typed).unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    Some(Output {
        status: child.wait().unwrap(),
        stdout: rest.join("\n").into_bytes(),
        stderr: Vec::new(),
    })
}

#[test]
fn command_reads_terminal_and_gets_ctrl_c_once() {
    let Some(answered) = in_terminal(
        "echo waiting; read answer; test \"$answer\" = yes",
        b"yes\n",
    ) else {
        println!("skipped: no util-linux script on this machine");
        return;
    };
    assert_eq!(answered.status.code(), Some(0), "{}", text(&answered));
    let counting = COUNTING
        .replace('\'', "\"")
        .replace("n=$((n+1))", "n=\\$((n+1))");
    let interrupted = in_terminal(&counting, b"\x03").unwrap();
    assert_eq!(interrupted.status.code(), Some(1), "{}", text(&interrupted));
}
