//! The call log: one record a call, in memory and as a line of `calls.jsonl`. Every call count and
//! every critical path is computed from it. No body and no header is in it, so no key can be.

use serde::{Deserialize, Serialize};

/// One call. Instants in `*_ms` are milliseconds since the sandbox was started, `sim_*_ms`
/// milliseconds of simulated time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Position in the world's life, from 1.
    pub n: u64,
    /// `aws`, `azure` or, for an address that neither knows, `none`.
    pub cloud: String,
    pub operation: String,
    /// Id or name of what the call is about; empty when there is none.
    pub target: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub sim_start_ms: u64,
    pub sim_end_ms: u64,
    /// Absent when no answer was sent.
    pub status: Option<u16>,
    /// The injected fault, in the fault plan's word for it.
    pub fault: Option<String>,
}
