//! A running `awsazure-sandbox lab`, and pings between its hosts.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use test_support::terraform::Sandbox;

/// Time limit for a change in the lab: more than two hold times.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What all daemons say.
pub struct State(Value);

impl State {
    fn ends(&self, cloud: &str) -> &[Value] {
        self.0[cloud].as_array().unwrap()
    }

    fn established(&self, cloud: &str) -> usize {
        let up = |end: &&Value| !end["sa"].is_null() && end["session"]["state"] == "Established";
        self.ends(cloud).iter().filter(up).count()
    }

    /// Tunnels with IPsec and BGP as AWS's daemons have them.
    pub fn up(&self) -> usize {
        self.established("aws")
    }

    pub fn azure_up(&self) -> usize {
        self.established("azure")
    }

    /// Tunnels by which each side has learned routes: AWS, Azure.
    pub fn routes(&self) -> (usize, usize) {
        let learned = |cloud| {
            self.ends(cloud)
                .iter()
                .filter(|end| end["routes"] != Value::Array(Vec::new()))
                .count()
        };
        (learned("aws"), learned("azure"))
    }

    /// The inside CIDR of the tunnel that AWS sends by.
    pub fn best(&self) -> Option<String> {
        let best = self
            .ends("aws")
            .iter()
            .find(|end| end["best"] != Value::Array(Vec::new()))?;
        best["inside_cidr"].as_str().map(str::to_owned)
    }

    pub fn is_empty(&self) -> bool {
        self.ends("aws").is_empty() && self.ends("azure").is_empty()
    }
}

/// A machine behind a gateway.
#[derive(Clone, Debug)]
pub struct Host {
    pub namespace: String,
    pub address: Ipv4Addr,
}

impl Host {
    fn ping(&self, to: &Host, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace, "ping", "-n"])
            .args(args)
            .arg(to.address.to_string());
        command
    }
}

/// The lab of a sandbox, killed with the value that stands for it.
pub struct RunningLab {
    process: Child,
    prefix: String,
    dir: PathBuf,
    program: PathBuf,
}

impl RunningLab {
    /// Starts it and waits until it is attached.
    pub fn start(sandbox: &Sandbox) -> RunningLab {
        let program = sandbox.program().to_owned();
        let dir = sandbox.dir().to_owned();
        let mut command = Command::new(&program);
        command
            .arg("lab")
            .arg("--dir")
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().map(Result::unwrap).unwrap_or_default();
        let prefix = first
            .strip_prefix("attached: namespaces ")
            .and_then(|rest| rest.split('*').next());
        let prefix = prefix
            .unwrap_or_else(|| panic!("the lab does not attach: {first}"))
            .to_owned();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| println!("    lab: {line}"))
        });
        RunningLab {
            process,
            prefix,
            dir,
            program,
        }
    }

    /// `awsazure-sandbox lab ARGS --dir DIR`, which must succeed.
    pub fn command(&self, args: &[&str]) -> String {
        let output = Command::new(&self.program)
            .arg("lab")
            .args(args)
            .arg("--dir")
            .arg(&self.dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "lab {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn state(&self) -> State {
        State(serde_json::from_str(&self.command(&["status"])).unwrap())
    }

    pub fn until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let began = Instant::now();
        while !holds(&self.state()) {
            assert!(
                began.elapsed() < TIMEOUT,
                "no {what}:\n{}",
                self.command(&["status"])
            );
            sleep(Duration::from_millis(200));
        }
    }

    /// In the VPC, in the VNet.
    pub fn hosts(&self) -> (Host, Host) {
        let hosts = self.state().0["hosts"].clone();
        let host = |cloud: &str| {
            let found = hosts
                .as_array()
                .unwrap()
                .iter()
                .find(|host| host["gateway"].as_str().unwrap().starts_with(cloud));
            let found = found.unwrap_or_else(|| panic!("no host behind {cloud}: {hosts}"));
            Host {
                namespace: found["namespace"].as_str().unwrap().to_owned(),
                address: found["address"].as_str().unwrap().parse().unwrap(),
            }
        };
        (host("vgw-"), host("/subscriptions/"))
    }

    /// Namespaces and daemons of this lab that are there.
    fn traces(&self) -> Vec<String> {
        let namespaces = fs::read_dir("/run/netns").into_iter().flatten().flatten();
        let namespaces = namespaces.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut found: Vec<String> = namespaces
            .filter(|name| name.starts_with(&self.prefix))
            .collect();
        found.extend(self.daemons());
        found
    }

    /// Command lines and settings that name the lab's folder.
    fn daemons(&self) -> Vec<String> {
        let own = self.dir.join("lab").display().to_string();
        let processes = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .map(|entry| entry.path());
        let of_lab = |path: &PathBuf| {
            let read = |name| {
                fs::read(path.join(name)).map(|text| String::from_utf8_lossy(&text).into_owned())
            };
            let (command, environment) = (
                read("cmdline").unwrap_or_default(),
                read("environ").unwrap_or_default(),
            );
            // A process that has ended but was not waited for has no command line.
            !command.is_empty()
                && (command.contains(&own)
                    || environment.contains(&format!("STRONGSWAN_CONF={own}")))
        };
        processes
            .filter(of_lab)
            .map(|path| path.display().to_string())
            .collect()
    }

    /// As Ctrl-C does; all that it started must be gone with it.
    pub fn interrupt(mut self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success() && self.process.wait().unwrap().success());
        assert_eq!(self.traces(), Vec::<String>::new());
    }

    /// As `kill -9` does; its daemons must die too.
    pub fn kill(mut self) {
        assert!(self.daemons().len() >= 8, "{:?}", self.daemons());
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let began = Instant::now();
        while !self.daemons().is_empty() {
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{:?}",
                self.daemons()
            );
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = Command::new("kill")
                .args(["-INT", &self.process.id().to_string()])
                .status();
            let _ = self.process.wait();
        }
    }
}

/// Pings, ten a second, until they are stopped.
pub struct Ping {
    process: Child,
}

impl Ping {
    pub fn start(from: &Host, to: &Host) -> Ping {
        let mut command = from.ping(to, &["-D", "-i", "0.1", "-W", "1"]);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Ping { process }
    }

    /// The longest time in seconds between two answers.
    pub fn stop(mut self) -> f64 {
        // All responses so far are read.
        sleep(Duration::from_millis(500));
        let _ = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status();
        let lines = BufReader::new(self.process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let answers = lines.filter(|line| line.contains(" bytes from "));
        let times: Vec<f64> = answers
            .filter_map(|line| line.strip_prefix('[')?.split(']').next()?.parse().ok())
            .collect();
        let _ = self.process.wait();
        times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(0.0, f64::max)
    }

    /// Sends that many; how many were sent, and how many answered.
    pub fn count(from: &Host, to: &Host, count: u32) -> (u32, u32) {
        let count = count.to_string();
        let output = from
            .ping(to, &["-q", "-c", &count, "-i", "0.1", "-W", "2"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let summary = text
            .lines()
            .find(|line| line.contains(" packets transmitted"))
            .unwrap_or_default();
        let mut numbers = summary
            .split_whitespace()
            .filter_map(|word| word.parse().ok());
        (
            numbers.next().unwrap_or_default(),
            numbers.next().unwrap_or_default(),
        )
    }
}

impl Drop for Ping {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
