//! The lab beside a running sandbox: at each look it tells what its daemons say, hears what the clouds were told since, and
//! follows. The sandbox answers from those words until the lab leaves or falls silent.

use super::bench::Lab;
use super::damage::Damage;
use super::namespace::{missing, sweep};
use super::{LabError, verdict};
use crate::control::{self, ControlError};
use crate::dataplane::{AwsEnd, AzureEnd, Host, Report, Verdict};
use crate::directory::Directory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a running lab may take to do what it was asked to.
const ORDERED: Duration = Duration::from_secs(20);

/// What a sandbox answers a lab: both halves, each as its own cloud was told, and what is to be broken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Exchange {
    pub aws: Vec<AwsEnd>,
    pub azure: Vec<AzureEnd>,
    pub damage: Vec<Damage>,
}

/// Who has the directory's lab: process and namespaces.
const OWNER: &str = "owner";

/// Runs a lab for the sandbox of that directory until `stop` is ready or the sandbox is gone, and ends all of it. Blocks the
/// thread while it builds. Its daemons die with the thread that polls this, so that should be the main one.
pub async fn attach(
    directory: &Directory,
    stop: impl Future<Output = ()>,
    mut say: impl FnMut(String),
) -> Result<(), LabError> {
    if let Some(missing) = missing() {
        return Err(LabError::Missing(missing));
    }
    let folder = directory.file("lab");
    clear(&folder)?;
    // What a lab that was killed has told last is of no use any more.
    control::call(directory, "DELETE", "lab", "").await?;
    let mut lab = Lab::start(&folder)?;
    let owner = folder.join(OWNER);
    let own = format!("{} {}", std::process::id(), lab.prefix());
    fs::write(&owner, own).map_err(|error| LabError::Io(owner.clone(), error))?;
    say(format!("attached: namespaces {}*, logs in {}", lab.prefix(), folder.display()));
    tokio::pin!(stop);
    let mut spoken =
        Spoken { began: Instant::now(), tunnels: BTreeMap::new(), hosts: Vec::new(), trouble: String::new() };
    let outcome = loop {
        let report = lab.look();
        let heard = match control::call(directory, "POST", "lab", &serde_json::to_string(&report)?).await {
            Ok(heard) => heard,
            Err(ControlError::NotRunning | ControlError::Unreachable(_)) => {
                say("the sandbox has ended".to_owned());
                break Ok(());
            }
            Err(error) => break Err(error.into()),
        };
        let told: Exchange = match serde_json::from_str(&heard) {
            Ok(told) => told,
            Err(error) => break Err(error.into()),
        };
        spoken.news(&report, &told, &mut say);
        if let Err(error) = lab.follow(&told.aws, &told.azure, &told.damage) {
            spoken.trouble(&error, &mut say);
        }
        tokio::select! {
            () = &mut stop => break Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    };
    // Rules again; a sandbox that is gone has nothing to be told.
    let _ = control::call(directory, "DELETE", "lab", "").await;
    drop(lab);
    let _ = fs::remove_file(owner);
    outcome
}

/// Makes room in the folder: what a lab that was killed left is taken away, one that runs is not disturbed.
fn clear(folder: &Path) -> Result<(), LabError> {
    let owner = fs::read_to_string(folder.join(OWNER)).unwrap_or_default();
    if let Some((process, prefix)) = owner.trim().split_once(' ') {
        let process: u32 = process.parse().unwrap_or_default();
        let command = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        if command.contains("awsazure-sandbox") {
            return Err(LabError::Attached(process));
        }
        sweep(prefix);
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LabError::Io(folder.to_owned(), error)),
        _ => Ok(()),
    }
}

/// What has been said already, so that only news are.
struct Spoken {
    began: Instant,
    tunnels: BTreeMap<Ipv4Addr, (Verdict, usize)>,
    hosts: Vec<Host>,
    trouble: String,
}

impl Spoken {
    fn news(&mut self, report: &Report, told: &Exchange, say: &mut impl FnMut(String)) {
        let at = format!("{:7.1} s", self.began.elapsed().as_secs_f64());
        let running: BTreeMap<Ipv4Addr, &AwsEnd> = told.aws.iter().map(|end| (end.outside_ip, end)).collect();
        for word in &report.aws {
            let Some(end) = running.get(&word.outside_ip) else { continue };
            let judged = verdict(report, end);
            let now = (judged, if judged == Verdict::Up { word.routes.len() } else { 0 });
            if self.tunnels.insert(word.outside_ip, now) != Some(now) {
                let words = match now {
                    (Verdict::Up, routes) => format!("up, {routes} routes from Azure"),
                    (other, _) => format!("{other:?}"),
                };
                say(format!("{at}  {} {}: {words}", word.inside_cidr, word.outside_ip));
            }
        }
        self.tunnels.retain(|ip, _| report.aws.iter().any(|word| word.outside_ip == *ip));
        for host in report.hosts.iter().filter(|host| !self.hosts.contains(host)) {
            say(format!("{at}  host {} behind {}: ip netns exec {} ...", host.address, host.gateway, host.namespace));
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

/// Adds to what the directory's lab breaks, or, with None, has it mend everything; returns once that is done.
pub async fn order(directory: &Directory, damage: Option<&Damage>) -> Result<(), LabError> {
    match damage {
        Some(damage) => control::call(directory, "POST", "lab/damage", &damage.to_string()).await?,
        None => control::call(directory, "DELETE", "lab/damage", "").await?,
    };
    let began = Instant::now();
    loop {
        let report: Report = serde_json::from_str(&show(directory).await?)?;
        let done = match damage {
            Some(damage) => report.damage.contains(&damage.to_string()),
            None => report.damage.is_empty(),
        };
        if done {
            return Ok(());
        }
        if began.elapsed() > ORDERED {
            return Err(ControlError::Refused("the lab has not done it yet".into()).into());
        }
        tokio::time::sleep(PAUSE / 2).await;
    }
}

/// The last report of the directory's lab, as JSON.
pub async fn show(directory: &Directory) -> Result<String, LabError> {
    Ok(control::call(directory, "GET", "lab", "").await?)
}
