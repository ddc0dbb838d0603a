//! Clients that others wrote, from the Python package index at pinned versions, in virtual
//! environments that the tests make.

use crate::build_dir;
use std::path::PathBuf;
use std::process::{Child, Command};

/// A virtual environment with these packages, kept next to the build so that the next run has it
/// already; `look` is Python that succeeds once they are all there. None where it cannot be made.
pub fn environment(name: &str, packages: &[&str], look: &str) -> Option<PathBuf> {
    let home = build_dir().join("../tmp").join(name);
    let python = home.join("bin/python");
    let has_all = || {
        Command::new(&python)
            .args(["-c", look])
            .output()
            .is_ok_and(|done| done.status.success())
    };
    if has_all() {
        return Some(home);
    }
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&home)
        .output()
        .ok()?;
    let install = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(packages)
        .output();
    (made.status.success() && install.is_ok_and(|done| done.status.success()) && has_all())
        .then_some(home)
}

/// A process that is ended with the value that stands for it.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
