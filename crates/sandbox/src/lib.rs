//! Both clouds' VPN control planes on one loopback port, over their real wire protocols.
//!
//! | module | holds |
//! |---|---|
//! | `http`, `time`, `rng` | an exchange, an instant and chance as plain data |
//! | `world` | the pure state machine: `(now, request) -> outcome`, deterministic for a seed |
//! | `aws`, `azure` | one cloud each: its objects, its parsing, its answers, its errors |
//! | `assertion` | tokens of other identity providers |
//! | `authorization` | what the caller may do: an IAM policy, an Azure role |
//! | `dataplane` | whether a tunnel would come up, from what each cloud was given |
//! | `schema` | both clouds' own schemas, and what breaks them |
//! | `variation` | the order and the letter case that the clouds do not promise |
//! | `faults`, `call_log` | what goes wrong on purpose; what was asked |
//! | `server` | the world behind TLS, in scaled time |
//! | `environment` | the variables that lead clients to a sandbox |
//!
//! `awsazure-sandbox-lab` runs the tunnels with real IKE and BGP daemons, and
//! `awsazure-sandbox-cli` has the program.

mod assertion;
pub mod authorization;
pub mod aws;
pub mod azure;
pub mod call_log;
pub mod control;
pub mod data_dir;
pub mod dataplane;
pub mod environment;
pub mod faults;
pub mod http;
pub mod in_process;
pub mod rng;
pub mod schema;
pub mod server;
pub mod time;
pub mod tls;
mod variation;
pub mod world;
