//! A process that the lab started, and ends.

use crate::LabError;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Killed with the value that stands for it. Nothing is lost by that: its namespace goes too.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it in a process group of its own, so that a terminal's Ctrl-C reaches the lab alone;
    /// both streams go to the file.
    pub fn start(mut command: Command, output: &Path) -> Result<Daemon, LabError> {
        let io = |error| LabError::Io(output.to_owned(), error);
        let file = File::create(output).map_err(io)?;
        let copy = file.try_clone().map_err(io)?;
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy);
        let child = command
            .spawn()
            .map_err(|error| LabError::Io(command.get_program().into(), error))?;
        Ok(Daemon { child })
    }

    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
