//! One child process: the environment that it gets, the signals that are passed on to it, and its
//! end.

use super::RunError;
use awsazure_sandbox::environment::Environment;
use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
use rustix::termios::tcgetpgrp;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::Command;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// The signals that are passed on. Listening starts before the sandbox does, so that none of them
/// ends it from then on.
pub struct Signals {
    interrupt: Stream,
    quit: Stream,
    terminate: Stream,
    hangup: Option<Stream>,
}

impl Signals {
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            // `nohup` must keep its effect, also on the command, which would lose it with a handler
            // here.
            hangup: if ignores(Signal::HUP) {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(stream) => drop(stream.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
            () = hangup => Signal::HUP,
        }
    }
}

/// Whether this process was started with the signal ignored. Only Linux shows this without unsafe
/// code.
fn ignores(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    mask & (1 << (signal.as_raw() - 1)) != 0
}

/// How a signal that this process gets reaches the command.
///
/// The command must get each exactly once: a second interrupt makes Terraform give up without its
/// state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SignalRoute {
    /// The command is in this process's group, which is in the foreground of the terminal: Ctrl-C
    /// reaches it directly, and so it can be stopped and read what is typed.
    Terminal,
    /// The command has a group of its own: nothing reaches it but what is passed on.
    PassedOn,
}

impl SignalRoute {
    fn found() -> SignalRoute {
        let terminal = File::options().read(true).write(true).open("/dev/tty");
        match terminal.ok().and_then(|terminal| tcgetpgrp(&terminal).ok()) {
            Some(foreground) if foreground == getpgrp() => SignalRoute::Terminal,
            _ => SignalRoute::PassedOn,
        }
    }

    fn pass_on(self, signal: Signal, child: Pid) {
        // The child may have ended meanwhile.
        let _ = match (self, signal) {
            (SignalRoute::Terminal, Signal::INT | Signal::QUIT) => Ok(()),
            // As a terminal would: to all of the job.
            (SignalRoute::PassedOn, Signal::INT | Signal::QUIT) => {
                kill_process_group(child, signal)
            }
            _ => kill_process(child, signal),
        };
    }
}

/// Runs the command with the sandbox's variables in place of all others that lead to a cloud.
/// Returns its exit code.
pub async fn run(
    command: &[OsString],
    environment: &Environment,
    mut signals: Signals,
) -> Result<u8, RunError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is missing").into());
    };
    let mut process = Command::new(program);
    process.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(Environment::replaces) {
            process.env_remove(name);
        }
    }
    process.envs(environment.pairs());
    for name in ["NO_PROXY", "no_proxy"] {
        process.env(
            name,
            Environment::no_proxy(std::env::var(name).ok().as_deref()),
        );
    }
    let delivery = SignalRoute::found();
    if delivery == SignalRoute::PassedOn {
        process.process_group(0);
    }
    let mut child = process.spawn().map_err(|error| RunError::Start {
        program: program.clone(),
        error,
    })?;
    let id = child
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    loop {
        tokio::select! {
            ended = child.wait() => return Ok(exit_code(ended?)),
            signal = signals.next() => {
                if let Some(id) = id {
                    delivery.pass_on(signal, id);
                }
            }
        }
    }
}

/// As a shell has it: 128 and the signal's number where a signal ended the process.
fn exit_code(ended: ExitStatus) -> u8 {
    let code = ended
        .code()
        .or_else(|| Some(128 + ended.signal()?))
        .unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}
