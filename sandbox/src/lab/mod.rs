//! The dataplane lab: real IKE daemons and BGP speakers in network namespaces, made from what each cloud was told, and asked
//! what became of it. Linux, root, and Debian's strongSwan and BIRD packages.
//!
//! | room | holds |
//! |---|---|
//! | `bench` | the lab itself: follows the two halves, looks at the daemons |
//! | `attach` | the lab beside a running sandbox, which then answers from it |
//! | `wiring` | who runs: which ends can meet, and which the damage spares |
//! | `ike_end`, `site` | one IKE daemon with its tunnel device; one gateway's speakers and hosts |
//! | `aws_words`, `azure_words` | each cloud's parameters as its own daemon's configuration: two tables on purpose |
//! | `bird`, `vici`, `charon` | the daemons' languages |
//! | `namespace`, `daemon` | what is started, and ended again |
//! | `damage`, `verdict` | breaking a link on request; in which layer it stands or fails |
//!
//! Each tunnel end is an IKE daemon of its own, since the IPsec of this user space (libipsec, for kernels without ESP) has one
//! tunnel device and one policy table a daemon. An end's daemon and namespace hold nothing but what its own cloud was told.
//! What an Azure gateway instance does in one daemon, to choose the connection by the peer's address, the namespace
//! `internet` does by routing: packets from a peer to an instance go to the end whose local network gateway has that peer.

mod attach;
mod aws_words;
mod azure_words;
mod bench;
mod bird;
mod charon;
mod daemon;
mod damage;
mod ike_end;
mod namespace;
mod site;
mod verdict;
mod vici;
mod wiring;

pub use attach::{Exchange, attach, order, show};
pub use bench::{Lab, Rekey, Side};
pub use damage::Damage;
pub use namespace::missing;
pub use verdict::verdict;

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
    Ike { end: String, command: String, message: String },
    #[error("the BGP speaker {speaker}: {message}")]
    Bgp { speaker: String, message: String },
    #[error("a lab is attached here already (process {0})")]
    Attached(u32),
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
    #[error("the sandbox answers what no lab understands: {0}")]
    Answer(#[from] serde_json::Error),
}
