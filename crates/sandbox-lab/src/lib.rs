//! The dataplane lab: real IKE daemons and BGP speakers in network namespaces, made from what each
//! cloud was given, and asked what became of it. Linux, root, and Debian's strongSwan and BIRD
//! packages.
//!
//! | module | holds |
//! |---|---|
//! | `testbed` | the lab itself: follows the two halves, looks at the daemons |
//! | `controller` | attaches a lab to a running sandbox, which then answers from it |
//! | `topology` | who runs: which ends can meet, and which of them a fault stops |
//! | `ike_endpoint`, `site` | one IKE daemon with its tunnel device; one gateway's speakers and hosts |
//! | `aws_config`, `azure_config` | each cloud's parameters as its own daemon's configuration: two tables on purpose |
//! | `bird`, `vici`, `charon` | the daemons' languages |
//! | `namespace`, `daemon` | what is started, and ended again |
//! | `assess` | the layer in which a tunnel fails |
//!
//! Each tunnel end is an IKE daemon of its own, since the IPsec of this user space (libipsec, for
//! kernels without ESP) has one tunnel device and one policy table a daemon. An end's daemon and
//! namespace hold nothing but what its own cloud was given. What an Azure gateway instance does in
//! one daemon, to choose the connection by the peer's address, the namespace `internet` does by
//! routing: packets from a peer to an instance go to the end whose local network gateway has that
//! peer.

mod assess;
mod aws_config;
mod azure_config;
mod bird;
mod charon;
mod controller;
mod daemon;
mod ike_endpoint;
mod namespace;
mod site;
mod testbed;
mod topology;
mod vici;

pub use assess::assess;
pub use controller::{attach, inject_fault, repair, status};
pub use namespace::missing;
pub use testbed::{Lab, Rekey, Side};

use std::io;
use std::path::PathBuf;

/// Why a lab could not be built, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab needs {0}")]
    Missing(String),
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    #[error("`{command}`: {message}")]
    Command { command: String, message: String },
    #[error("the IKE daemon of {end} says to {command}: {message}")]
    Ike {
        end: String,
        command: String,
        message: String,
    },
    #[error("the BGP speaker {speaker}: {message}")]
    Bgp { speaker: String, message: String },
    #[error("a lab is attached here already (process {0})")]
    Attached(u32),
    #[error(transparent)]
    Control(#[from] awsazure_sandbox::control::ControlError),
    #[error("the sandbox answers what no lab understands: {0}")]
    Answer(#[from] serde_json::Error),
}
