//! The command line: serve a sandbox, run commands against it, look at what is in it, make things
//! go wrong in it.

mod run;

use awsazure_sandbox::azure::AzureCloud;
use awsazure_sandbox::control;
use awsazure_sandbox::data_dir::DataDir;
use awsazure_sandbox::server::{Options, Server};
use awsazure_sandbox_lab as lab;
use clap::{Args, Parser, Subcommand};
use run::RunError;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Both clouds' VPN control planes on one loopback port, simulated.
#[derive(Parser)]
#[command(name = "awsazure-sandbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a sandbox, run a command against it, end the sandbox, and return the command's exit
    /// code.
    ///
    /// The command gets the sandbox's variables in place of every AWS_*, ARM_* and AZURE_*
    /// variable: terraform, aws, boto3, az and the Azure SDKs reach the sandbox, and never a real
    /// cloud. The sandbox serves until the command has ended, also after Ctrl-C, which reaches the
    /// command alone. SIGTERM and SIGHUP are passed on to it.
    ///
    /// Exit codes: that of the command; 128 and the signal's number if a signal ended it; 127 if
    /// there is no such command, 126 if it cannot be started; 125 if the sandbox cannot be started.
    Run {
        #[command(flatten)]
        options: ServeOptions,
        /// Directory of the sandbox, as for serve: its world is read at the start and kept. Without
        /// it the world is temporary.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// The command and its arguments.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Run a command against the sandbox that `serve` or `run` already serves in a directory; fails
    /// if none does.
    ///
    /// Variables, signals and exit codes are those of run.
    Exec {
        #[command(flatten)]
        world: WorldDirectory,
        /// The command and its arguments.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Serve until SIGINT or SIGTERM. Prints `ready https://ADDRESS` when it answers.
    ///
    /// `awsazure-sandbox exec --dir DIR -- COMMAND` runs a command against it.
    Serve {
        #[command(flatten)]
        options: ServeOptions,
        /// Where it keeps ca.pem, env, world.json, calls.jsonl and, if there are any,
        /// violations.txt; created if missing.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Run the links of a sandbox with real IKE and BGP daemons, until SIGINT or SIGTERM (root on
    /// Linux, strongSwan and BIRD).
    ///
    /// From what each cloud was given, and from nothing else, it builds network namespaces: an IKE
    /// daemon for each tunnel end, BGP speakers for both gateways, a host in the VPC and one in the
    /// VNet. It follows every change of the link. While it is attached the sandbox answers tunnel
    /// telemetry, connection status, BGP peers and learned routes from these daemons.
    ///
    /// It prints each tunnel's state as it changes, and how to get onto the hosts: `ip netns exec
    /// NAMESPACE ping ADDRESS`. Configurations and logs are in DIR/lab.
    #[command(args_conflicts_with_subcommands = true)]
    Lab {
        #[command(flatten)]
        world: WorldDirectory,
        #[command(subcommand)]
        command: Option<LabCommand>,
    },
    /// List every object of both clouds as JSON.
    World {
        #[command(flatten)]
        world: WorldDirectory,
    },
    /// Say how many requests and answers of the running sandbox were held against the clouds'
    /// schemas, and what broke them.
    Violations {
        #[command(flatten)]
        world: WorldDirectory,
    },
    /// Add a rule to the running fault plan, empty it, or, with neither, list it.
    ///
    /// A rule reads `fail call N of OPERATION [on TARGET]: once|forever KIND`, for example `fail
    /// call 3 of PutConnection: once 503` or `fail any call of azure *: forever hang`; or, struck
    /// by chance, `fail N in M of OPERATION [on TARGET]: KIND`, for example `fail 2 in 100 of aws
    /// *: 503`. OPERATION is a name from calls.jsonl, or `*`, after `aws` or `azure` to mean one
    /// cloud only; TARGET is part of an id.
    ///
    /// KIND before the effect: refused, 429, 503, 409, 500, 401 (token expired), 403, 404, dropped,
    /// hang; after it: lost (reply lost), hang-after, malformed, truncated, expired (the
    /// operation's record is gone); failed: the operation is accepted and ends Failed.
    #[command(verbatim_doc_comment)]
    Fault {
        #[command(flatten)]
        world: WorldDirectory,
        /// Empty the plan.
        #[arg(long, conflicts_with = "rule")]
        clear: bool,
        rule: Option<String>,
    },
}

/// How a sandbox is served.
#[derive(Args)]
struct ServeOptions {
    /// Address and port; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Accept an address in --listen that other machines can reach. The sandbox accepts any
    /// credentials.
    #[arg(long)]
    allow_remote: bool,
    /// How many times faster than the clock simulated time runs.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    time_scale: u64,
    /// Seed of a new world.
    #[arg(long)]
    seed: Option<u64>,
    /// Answers vary at random in what the clouds do not promise: the order of lists and the letter
    /// case of Azure's ids.
    #[arg(long)]
    varied_answers: bool,
    /// Azure that a new world plays: public, usgovernment or china. Its metadata, audiences and
    /// regions are that cloud's.
    #[arg(long, default_value = "public")]
    azure_cloud: AzureCloud,
    /// File with an IAM policy. A call to AWS that it does not allow is rejected with
    /// UnauthorizedOperation. Without it everything is allowed.
    #[arg(long, value_name = "FILE")]
    aws_policy: Option<PathBuf>,
    /// File with a custom role. A call to Azure that it does not permit is rejected with
    /// AuthorizationFailed. Without it everything is permitted.
    #[arg(long, value_name = "FILE")]
    azure_role: Option<PathBuf>,
}

impl From<ServeOptions> for Options {
    fn from(given: ServeOptions) -> Options {
        let ServeOptions {
            listen,
            allow_remote,
            time_scale,
            seed,
            varied_answers,
            azure_cloud,
            aws_policy,
            azure_role,
        } = given;
        Options {
            listen,
            allow_remote,
            time_scale,
            seed,
            varied_answers,
            azure_cloud,
            aws_policy,
            azure_role,
        }
    }
}

/// Which sandbox a command is about.
#[derive(Args)]
struct WorldDirectory {
    /// The sandbox's directory. Commands that run or exec started default to theirs.
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl WorldDirectory {
    fn directory(&self) -> Result<DataDir, Box<dyn Error>> {
        let inherited = || std::env::var_os("AWSAZURE_SANDBOX_DIR").map(PathBuf::from);
        let path = self
            .dir
            .clone()
            .or_else(inherited)
            .ok_or("--dir is missing")?;
        Ok(DataDir::existing(&path)?)
    }
}

/// What is asked of a lab that runs.
#[derive(Subcommand)]
enum LabCommand {
    /// Break something until `lab repair`.
    Fault {
        #[command(subcommand)]
        fault: FaultCommand,
    },
    /// Repair everything that `lab fault` broke.
    Repair {
        #[command(flatten)]
        world: WorldDirectory,
    },
    /// Print what every daemon reports, as JSON.
    Status {
        #[command(flatten)]
        world: WorldDirectory,
    },
}

/// What `lab fault` breaks.
#[derive(Subcommand)]
enum FaultCommand {
    /// Drop every packet of one tunnel, silently.
    Tunnel {
        #[command(flatten)]
        world: WorldDirectory,
        /// Its inside CIDR, such as 169.254.21.0/30, or its outside address at AWS.
        tunnel: String,
    },
    /// Stop an Azure gateway instance: all its IKE daemons and its BGP speaker.
    Instance {
        #[command(flatten)]
        world: WorldDirectory,
        /// Its number, 0 or 1 (of every gateway), or its public address.
        instance: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match dispatch(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("awsazure-sandbox: {error}");
            error
                .downcast_ref::<RunError>()
                .map_or(ExitCode::FAILURE, |error| ExitCode::from(error.code()))
        }
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    let done = match command {
        Command::Run {
            options,
            dir,
            command,
        } => {
            return Ok(run::run(dir.as_deref(), &options.into(), &command)
                .await?
                .into());
        }
        Command::Exec { world, command } => {
            return Ok(run::exec(&world.directory()?, &command).await?.into());
        }
        Command::Serve { options, dir } => serve(&dir, &options.into()).await,
        Command::Lab {
            world,
            command: None,
        } => attach(&world.directory()?).await,
        Command::Lab {
            command: Some(command),
            ..
        } => lab_command(command).await,
        Command::World { world } => list_objects(&world.directory()?).await,
        Command::Violations { world } => {
            print_text(&control::call(&world.directory()?, "GET", "violations", "").await?)
        }
        Command::Fault { world, clear, rule } => {
            let (method, body) = match (&rule, clear) {
                (Some(rule), _) => ("POST", rule.as_str()),
                (None, true) => ("DELETE", ""),
                (None, false) => ("GET", ""),
            };
            print_text(&control::call(&world.directory()?, method, "faults", body).await?)
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn serve(dir: &Path, options: &Options) -> Result<(), Box<dyn Error>> {
    let stop = stop_signal()?;
    let server = Server::bind(DataDir::open(dir)?, options).await?;
    print_text(&format!("ready {}\n", server.url()))?;
    Ok(server.run(stop).await?)
}

async fn attach(directory: &DataDir) -> Result<(), Box<dyn Error>> {
    let stop = stop_signal()?;
    // The reader may stop early.
    Ok(lab::attach(directory, stop, |line| {
        drop(print_text(&format!("{line}\n")))
    })
    .await?)
}

async fn list_objects(directory: &DataDir) -> Result<(), Box<dyn Error>> {
    let text = match control::call(directory, "GET", "world", "").await {
        Ok(text) => text,
        // Not running: what it left is as true.
        Err(control::ControlError::NotRunning | control::ControlError::Unreachable(_)) => directory
            .world()?
            .ok_or("no sandbox has run in this directory")?
            .objects()
            .to_string(),
        Err(error) => return Err(error.into()),
    };
    let value: serde_json::Value = serde_json::from_str(&text)?;
    print_text(&format!("{}\n", serde_json::to_string_pretty(&value)?))
}

async fn lab_command(command: LabCommand) -> Result<(), Box<dyn Error>> {
    match command {
        LabCommand::Fault { fault } => {
            let (world, fault) = match fault {
                FaultCommand::Tunnel { world, tunnel } => (world, format!("tunnel {tunnel}")),
                FaultCommand::Instance { world, instance } => {
                    (world, format!("instance {instance}"))
                }
            };
            Ok(lab::inject_fault(&world.directory()?, &fault.parse()?).await?)
        }
        LabCommand::Repair { world } => Ok(lab::repair(&world.directory()?).await?),
        LabCommand::Status { world } => {
            print_text(&format!("{}\n", lab::status(&world.directory()?).await?))
        }
    }
}

/// Ready at SIGINT or SIGTERM.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn print_text(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
