//! Log lines for a person who waits: what is awaited, for how long so far, how long it usually
//! takes, and what comes next.

use super::ErrorContext;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// A wait that is over by then is not worth a line.
const FIRST_LINE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(60);

/// What a waiting person can expect.
struct Expectation {
    /// Start of the operation and part of the target, in lower case.
    operation: &'static str,
    target: &'static str,
    /// What is awaited; the name of the object follows.
    what: &'static str,
    usual: &'static str,
    next: &'static str,
}

const EXPECTATIONS: [Expectation; 10] = [
    Expectation {
        operation: "create gateway",
        target: "",
        what: "the creation of the Azure gateway",
        usual: "25m to 45m",
        next: "Azure connections, then BGP sessions",
    },
    Expectation {
        operation: "change gateway",
        target: "",
        what: "the change of the Azure gateway",
        usual: "3m to 8m, or 10m to 20m for another SKU",
        next: "Azure connections",
    },
    Expectation {
        operation: "delete gateway",
        target: "",
        what: "the deletion of the Azure gateway",
        usual: "5m to 20m",
        next: "public IP addresses and networks",
    },
    Expectation {
        operation: "create connection",
        target: "",
        what: "the creation of the Azure connection",
        usual: "1m to 3m, one at a time for each gateway",
        next: "the next connection, then BGP sessions",
    },
    Expectation {
        operation: "delete connection",
        target: "",
        what: "the deletion of the Azure connection",
        usual: "1m to 3m, one at a time for each gateway",
        next: "the next connection, then the gateway",
    },
    Expectation {
        operation: "wait for other changes of",
        target: "virtualnetworkgateways",
        what: "other changes of the Azure gateway",
        usual: "1m to 8m each, or up to 45m while it is created",
        next: "the change of this link",
    },
    Expectation {
        operation: "aws waiting until available",
        target: "vpn-",
        what: "the creation of the VPN connection",
        usual: "3m to 5m",
        next: "local network gateways and Azure connections",
    },
    Expectation {
        operation: "aws waiting until changed",
        target: "vpn-",
        what: "the change of the VPN connection",
        usual: "2m to 5m for each tunnel",
        next: "the next tunnel",
    },
    Expectation {
        operation: "aws waiting until attached",
        target: "vgw-",
        what: "the attachment of the virtual private gateway",
        usual: "1m",
        next: "route propagation",
    },
    Expectation {
        operation: "aws waiting until deleted",
        target: "vpn-",
        what: "the deletion of the VPN connection",
        usual: "1m to 2m",
        next: "customer gateways and the VPN gateway",
    },
];

/// The lines of one wait.
pub struct WaitLog {
    begun: Instant,
    due: Duration,
}

impl WaitLog {
    /// The wait begins now.
    pub fn begin() -> Self {
        WaitLog {
            begun: Instant::now(),
            due: FIRST_LINE,
        }
    }

    /// When the next line is due.
    pub fn next_line(&self) -> Instant {
        self.begun + self.due
    }

    /// Writes a line if one is due.
    pub fn pending(&mut self, awaited: &ErrorContext) {
        let waited = self.begun.elapsed();
        if waited < self.due {
            return;
        }
        self.due = waited + INTERVAL;
        let ErrorContext {
            operation,
            target,
            message,
            ..
        } = awaited;
        let waited = Minutes(waited);
        let name = target.rsplit('/').next().unwrap_or_default();
        // Terraform prints fields in no order, after the message.
        match expectation(awaited) {
            Some(row) => {
                let Expectation {
                    what, usual, next, ..
                } = row;
                tracing::info!(
                    %target,
                    state = %message,
                    "waiting {waited} for {what} {name}, usually {usual}; next: {next}"
                );
            }
            None => {
                tracing::info!(%target, state = %message, "waiting {waited} for {operation} {name}")
            }
        }
    }
}

fn expectation(awaited: &ErrorContext) -> Option<&'static Expectation> {
    let operation = awaited.operation.to_ascii_lowercase();
    let target = awaited.target.to_ascii_lowercase();
    EXPECTATIONS
        .iter()
        .find(|row| operation.starts_with(row.operation) && target.contains(row.target))
}

/// A span as `12m 30s`.
struct Minutes(Duration);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds / 60 {
            0 => write!(f, "{seconds}s"),
            minutes => write!(f, "{minutes}m {}s", seconds % 60),
        }
    }
}
