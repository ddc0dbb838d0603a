//! The command line: serve a sandbox, look at what is in it, make things go wrong in it.

use awsazure_sandbox::control;
use awsazure_sandbox::directory::Directory;
use awsazure_sandbox::lab::{self, Damage};
use awsazure_sandbox::server::Server;
use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Both clouds' VPN control planes on one loopback port, simulated.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM. Prints `ready https://ADDRESS` when it answers.
    ///
    /// `. DIR/env` in a shell lets terraform, aws, boto3, az and the Azure SDKs reach it unchanged.
    Serve {
        /// Address and port; port 0 picks a free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Where it keeps ca.pem, env, world.json, calls.jsonl and, if there are any, violations.txt; made when missing, gone on with when there.
        #[arg(long)]
        dir: PathBuf,
        /// How many times faster than the clock simulated time runs.
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
        time_scale: u64,
        /// Seed of a new world.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Run the links of a sandbox with real IKE and BGP daemons, until SIGINT or SIGTERM (root on Linux, strongSwan and BIRD).
    ///
    /// From what each cloud was told, and from nothing else, it builds network namespaces: an IKE daemon for each tunnel end,
    /// BGP speakers for both gateways, a host in the VPC and one in the VNet. It follows every change of the link. While
    /// it is attached the sandbox answers tunnel telemetry, connection status, BGP peers and learned routes from these daemons.
    ///
    /// It prints each tunnel's state as it changes, and how to get onto the hosts: `ip netns exec NAMESPACE ping ADDRESS`.
    /// Configurations and logs are in DIR/lab.
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Lab {
        /// The sandbox's directory.
        #[arg(long, required = true)]
        dir: Option<PathBuf>,
        #[command(subcommand)]
        order: Option<Order>,
    },
    /// List every object of both clouds as JSON.
    World {
        #[arg(long)]
        dir: PathBuf,
    },
    /// Say how many requests and answers of the running sandbox were held against the clouds' schemas, and what broke them.
    Violations {
        #[arg(long)]
        dir: PathBuf,
    },
    /// Add a rule to the running fault plan, empty it, or, with neither, list it.
    ///
    /// A rule reads `fail call N of OPERATION [on TARGET]: once|forever KIND`, for example
    /// `fail call 3 of PutConnection: once 503` or `fail any call of azure *: forever hang`; or, struck by chance,
    /// `fail N in M of OPERATION [on TARGET]: KIND`, for example `fail 2 in 100 of aws *: 503`.
    /// OPERATION is a name from calls.jsonl, or `*`, after `aws` or `azure` to mean one cloud only; TARGET is part of an id.
    ///
    /// KIND before the effect: refused, 429, 503, 409, 500, 401 (token expired), 403, 404, dropped, hang;
    /// after it: lost (reply lost), hang-after, malformed, truncated, expired (the operation's record is gone);
    /// failed: the operation is accepted and ends Failed.
    #[command(verbatim_doc_comment)]
    Fault {
        #[arg(long)]
        dir: PathBuf,
        /// Empty the plan.
        #[arg(long, conflicts_with = "rule")]
        clear: bool,
        rule: Option<String>,
    },
}

/// What is asked of a lab that runs.
#[derive(Subcommand)]
enum Order {
    /// Lose every packet of one tunnel, silently.
    Cut {
        #[arg(long)]
        dir: PathBuf,
        /// Its inside CIDR, such as 169.254.21.0/30, or its outside address at AWS.
        tunnel: String,
    },
    /// Kill an Azure gateway instance: all its IKE daemons and its BGP speaker.
    Kill {
        #[arg(long)]
        dir: PathBuf,
        /// Its number, 0 or 1 (of every gateway), or its public address.
        instance: String,
    },
    /// Mend everything that was cut or killed.
    Mend {
        #[arg(long)]
        dir: PathBuf,
    },
    /// Print what all daemons say, as JSON.
    Show {
        #[arg(long)]
        dir: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("awsazure-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve { listen, dir, time_scale, seed } => {
            let stop = stopped()?;
            let server = Server::bind(listen, Directory::open(&dir)?, time_scale, seed).await?;
            say(&format!("ready {}\n", server.url()))?;
            Ok(server.run(stop).await?)
        }
        Command::Lab { dir, order } => match (dir, order) {
            (Some(dir), _) => {
                let stop = stopped()?;
                // Whoever reads along may stop reading.
                Ok(lab::attach(&Directory::open(&dir)?, stop, |line| drop(say(&format!("{line}\n")))).await?)
            }
            (None, Some(order)) => obey(order).await,
            (None, None) => Err("--dir is missing".into()),
        },
        Command::World { dir } => {
            let directory = Directory::open(&dir)?;
            let text = match control::call(&directory, "GET", "world", "").await {
                Ok(text) => text,
                // Not running: what it left is as true.
                Err(control::ControlError::NotRunning | control::ControlError::Unreachable(_)) => {
                    directory.world()?.ok_or("no sandbox has run in this directory")?.objects().to_string()
                }
                Err(error) => return Err(error.into()),
            };
            let value: serde_json::Value = serde_json::from_str(&text)?;
            say(&format!("{}\n", serde_json::to_string_pretty(&value)?))
        }
        Command::Violations { dir } => say(&control::call(&Directory::open(&dir)?, "GET", "violations", "").await?),
        Command::Fault { dir, clear, rule } => {
            let directory = Directory::open(&dir)?;
            let (method, body) = match (&rule, clear) {
                (Some(rule), _) => ("POST", rule.as_str()),
                (None, true) => ("DELETE", ""),
                (None, false) => ("GET", ""),
            };
            say(&control::call(&directory, method, "faults", body).await?)
        }
    }
}

async fn obey(order: Order) -> Result<(), Box<dyn Error>> {
    let (dir, damage) = match &order {
        Order::Cut { dir, tunnel } => (dir, Some(format!("tunnel {tunnel}"))),
        Order::Kill { dir, instance } => (dir, Some(format!("instance {instance}"))),
        Order::Mend { dir } | Order::Show { dir } => (dir, None),
    };
    let directory = Directory::open(dir)?;
    if matches!(order, Order::Show { .. }) {
        return say(&format!("{}\n", lab::show(&directory).await?));
    }
    let damage: Option<Damage> = damage.map(|words| words.parse()).transpose()?;
    Ok(lab::order(&directory, damage.as_ref()).await?)
}

/// Ready at SIGINT or SIGTERM.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
