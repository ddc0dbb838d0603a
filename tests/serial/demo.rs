//! `scripts/demo` from a copy of the tree, in a shell that has nothing but HOME and PATH: what a
//! reader of the README runs first.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use test_support::terraform::{TestEnv, skip};
use test_support::{build_dir, repository};

/// Passed on: the others could hide a mistake, CARGO_TARGET_DIR above all. The last ones belong to
/// the toolchain.
const PASSED_ON: [&str; 5] = [
    "HOME",
    "PATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

fn plain(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(
        PASSED_ON
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A copy of the tracked files. Its target is this one's, where everything is built already: cargo
/// knows a package by its place in the workspace and compares the times of its files.
fn copy(to: &Path) {
    let root = repository();
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", text(&listed));
    for name in String::from_utf8(listed.stdout)
        .unwrap()
        .split_terminator('\0')
    {
        let (from, to) = (root.join(name), to.join(name));
        // Deleted, and not yet committed.
        let Ok(modified) = from.symlink_metadata().and_then(|data| data.modified()) else {
            continue;
        };
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap();
        std::fs::File::options()
            .write(true)
            .open(&to)
            .unwrap()
            .set_modified(modified)
            .unwrap();
    }
    symlink(target(), to.join("target")).unwrap();
}

/// The target directory of this build.
fn target() -> PathBuf {
    build_dir().parent().unwrap().to_owned()
}

fn demo(folder: &Path, keep: &str) -> Output {
    let tree = folder.join("clone with a space");
    copy(&tree);
    // Started from elsewhere, by a path.
    let mut script = plain("bash");
    script
        .arg(tree.join("scripts/demo"))
        .current_dir(folder)
        .env("KEEP", keep)
        .env("TMPDIR", folder);
    let output = script.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    output
}

#[test]
fn demo_runs_in_fresh_clone_without_target_variable() {
    let _turn = crate::turn();
    if TestEnv::new().is_none() {
        return;
    }
    if !build_dir().ends_with("debug") {
        return skip("the demo (it uses the dev profile only)");
    }
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["clone with a space"], "the demo leaves files behind");
}

#[test]
fn commands_of_kept_demo_work_in_fresh_shell() {
    let _turn = crate::turn();
    if TestEnv::new().is_none() || !build_dir().ends_with("debug") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), "1");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |end: &str| {
        let found = printed
            .lines()
            .rfind(|line| line.starts_with("  ") && line.ends_with(end));
        found
            .unwrap_or_else(|| panic!("no command that ends in {end}:\n{printed}"))
            .trim()
            .to_owned()
    };
    let shell = |command: &str| {
        plain("bash")
            .args(["-c", command])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let planned = shell(&format!(
        "{} -input=false -detailed-exitcode",
        line(" plan")
    ));
    assert_eq!(
        planned.status.code(),
        Some(0),
        "not an empty plan: {}",
        text(&planned)
    );
    let world = |left: bool| {
        let shown = shell(
            printed
                .lines()
                .find(|line| line.contains(" world "))
                .unwrap(),
        );
        let objects: serde_json::Value =
            serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{}", text(&shown)));
        assert_eq!(
            objects["aws"].as_array().unwrap().is_empty()
                && objects["azure"].as_array().unwrap().is_empty(),
            !left
        );
    };
    world(true);
    let destroyed = shell(&format!("{} -auto-approve", line(" destroy")));
    assert!(destroyed.status.success(), "{}", text(&destroyed));
    world(false);
    let removal = printed
        .lines()
        .rfind(|line| line.trim().starts_with("rm -rf "))
        .unwrap();
    assert!(shell(removal).status.success());
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["clone with a space"], "the demo leaves files behind");
}
