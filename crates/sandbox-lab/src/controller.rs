//! The lab next to a running sandbox: at each poll it reports its daemons, reads the changed
//! configuration of the clouds, and follows. The sandbox answers from those words until the lab
//! leaves or falls silent.

use crate::namespace::{missing, remove_namespaces};
use crate::testbed::Lab;
use crate::{LabError, assess::assess};
use awsazure_sandbox::control::{self, ControlError};
use awsazure_sandbox::data_dir::DataDir;
use awsazure_sandbox::dataplane::{
    AwsEndpoint, Host, LabFault, LabInstructions, LabReport, TunnelStatus,
};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a sandbox is given to hear that its lab leaves.
const DETACH_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a running lab may take to do what it was asked to.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// Who has the directory's lab: process and namespaces.
const OWNER: &str = "owner";

/// Runs a lab for the sandbox of that directory until `stop` is ready or the sandbox is gone, and
/// ends all of it. Blocks the thread while it builds. Its daemons die with the thread that polls
/// this, so that should be the main one.
pub async fn attach(
    directory: &DataDir,
    stop: impl Future<Output = ()>,
    mut say: impl FnMut(String),
) -> Result<(), LabError> {
    if let Some(missing) = missing() {
        return Err(LabError::Missing(missing));
    }
    let folder = directory.file("lab");
    clear(&folder)?;
    // The last report of a killed lab is outdated.
    control::call(directory, "DELETE", "lab", "").await?;
    let mut lab = Lab::start(&folder)?;
    let owner = folder.join(OWNER);
    let own = format!("{} {}", std::process::id(), lab.prefix());
    fs::write(&owner, own).map_err(|error| LabError::Io(owner.clone(), error))?;
    tokio::pin!(stop);
    let mut announcer = Announcer {
        attached: false,
        began: Instant::now(),
        tunnels: BTreeMap::new(),
        hosts: Vec::new(),
        trouble: String::new(),
    };
    let outcome = loop {
        let report = lab.observe();
        let words = serde_json::to_string(&report)?;
        let answered = tokio::select! {
            () = &mut stop => break Ok(()),
            answered = control::call(directory, "POST", "lab", &words) => answered,
        };
        let answered = match answered {
            Ok(answered) => answered,
            Err(ControlError::NotRunning | ControlError::Unreachable(_)) => {
                say("the sandbox has ended".to_owned());
                break Ok(());
            }
            Err(error) => break Err(error.into()),
        };
        let instructions: LabInstructions = match serde_json::from_str(&answered) {
            Ok(instructions) => instructions,
            Err(error) => break Err(error.into()),
        };
        if !announcer.attached {
            say(format!(
                "attached: namespaces {}*, logs in {}",
                lab.prefix(),
                folder.display()
            ));
            announcer.attached = true;
        }
        announcer.print_changes(&report, &instructions, &mut say);
        if let Err(error) =
            lab.reconcile(&instructions.aws, &instructions.azure, &instructions.faults)
        {
            announcer.trouble(&error, &mut say);
        }
        tokio::select! {
            () = &mut stop => break Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    };
    // Rules again; a sandbox that is gone needs no report, one that hangs falls back to them by
    // itself.
    let _ = tokio::time::timeout(
        DETACH_TIMEOUT,
        control::call(directory, "DELETE", "lab", ""),
    )
    .await;
    drop(lab);
    let _ = fs::remove_file(owner);
    outcome
}

/// Makes room in the folder: what a lab that was killed left is taken away, one that runs is not
/// disturbed.
fn clear(folder: &Path) -> Result<(), LabError> {
    let owner = fs::read_to_string(folder.join(OWNER)).unwrap_or_default();
    if let Some((process, prefix)) = owner.trim().split_once(' ') {
        let process: u32 = process.parse().unwrap_or_default();
        let command = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        if command.contains("awsazure-sandbox") {
            return Err(LabError::Attached(process));
        }
        remove_namespaces(prefix);
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::Io(folder.to_owned(), error))
        }
        _ => Ok(()),
    }
}

/// What has been said already, so that only news are.
struct Announcer {
    attached: bool,
    began: Instant,
    tunnels: BTreeMap<Ipv4Addr, (TunnelStatus, usize)>,
    hosts: Vec<Host>,
    trouble: String,
}

impl Announcer {
    fn print_changes(
        &mut self,
        report: &LabReport,
        instructions: &LabInstructions,
        say: &mut impl FnMut(String),
    ) {
        let at = format!("{:7.1} s", self.began.elapsed().as_secs_f64());
        let running: BTreeMap<Ipv4Addr, &AwsEndpoint> = instructions
            .aws
            .iter()
            .map(|end| (end.outside_ip, end))
            .collect();
        for word in &report.aws {
            let Some(end) = running.get(&word.outside_ip) else {
                continue;
            };
            let tunnel = assess(report, end);
            let now = (
                tunnel,
                if tunnel == TunnelStatus::Up {
                    word.routes.len()
                } else {
                    0
                },
            );
            if self.tunnels.insert(word.outside_ip, now) != Some(now) {
                let words = match now {
                    (TunnelStatus::Up, routes) => format!("up, {routes} routes from Azure"),
                    (other, _) => format!("{other:?}"),
                };
                say(format!(
                    "{at}  {} {}: {words}",
                    word.inside_cidr, word.outside_ip
                ));
            }
        }
        self.tunnels
            .retain(|ip, _| report.aws.iter().any(|word| word.outside_ip == *ip));
        for host in report
            .hosts
            .iter()
            .filter(|host| !self.hosts.contains(host))
        {
            say(format!(
                "{at}  host {} behind {}: ip netns exec {} ...",
                host.address, host.gateway, host.namespace
            ));
        }
        self.hosts.clone_from(&report.hosts);
    }

    fn trouble(&mut self, error: &LabError, say: &mut impl FnMut(String)) {
        let text = error.to_string();
        if self.trouble != text {
            say(format!("{text}; trying again"));
            self.trouble = text;
        }
    }
}

/// Breaks something in the directory's lab, in addition to what is broken already; returns once
/// that is done.
pub async fn inject_fault(directory: &DataDir, fault: &LabFault) -> Result<(), LabError> {
    let fault = fault.to_string();
    control::call(directory, "POST", "lab/faults", &fault).await?;
    wait_for(directory, |report| report.faults.contains(&fault)).await
}

/// Repairs everything that was broken in the directory's lab; returns once that is done.
pub async fn repair(directory: &DataDir) -> Result<(), LabError> {
    control::call(directory, "DELETE", "lab/faults", "").await?;
    wait_for(directory, |report| report.faults.is_empty()).await
}

async fn wait_for(directory: &DataDir, done: impl Fn(&LabReport) -> bool) -> Result<(), LabError> {
    let began = Instant::now();
    while !done(&serde_json::from_str(&status(directory).await?)?) {
        if began.elapsed() > COMMAND_TIMEOUT {
            return Err(ControlError::Refused("the lab has not done it yet".into()).into());
        }
        tokio::time::sleep(PAUSE / 2).await;
    }
    Ok(())
}

/// The last report of the directory's lab, as JSON.
pub async fn status(directory: &DataDir) -> Result<String, LabError> {
    Ok(control::call(directory, "GET", "lab", "").await?)
}
