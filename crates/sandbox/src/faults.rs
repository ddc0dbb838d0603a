//! What goes wrong on purpose: a plan of rules, each of which counts the calls that it matches and
//! strikes some of them.
//!
//! A rule as text, on the command line and in listings:
//!
//! ```text
//! fail call N of OPERATION [on TARGET]: once|forever KIND
//! fail N in M of OPERATION [on TARGET]: KIND
//! ```
//!
//! - `N in M`: each matching call, with that chance.
//! - `call N`: the N-th matching call after the rule was added; `any call` is `call 1`.
//! - `OPERATION`: a name as in the call log (`PutConnection`, `CreateVpnConnection`), `*` for every
//!   one, either of them after `aws` or `azure` to mean one cloud only (`azure *`). Letter case
//!   does not matter.
//! - `TARGET`: part of the target's id.
//! - `once` strikes that call alone, `forever` it and all later ones.
//! - `KIND`:
//!
//! | kind | what the client sees | was the effect |
//! |---|---|---|
//! | `refused` | a 400 that no retry fixes | no |
//! | `429`, `503` | throttled, unavailable, with a time to wait | no |
//! | `409` | another operation in progress | no |
//! | `500` | internal error | no |
//! | `401` | the token expired | no |
//! | `403` | permission denied | no |
//! | `404` | not found; on a poll of an operation: not known yet | no |
//! | `dropped` | connection closed without an answer | no |
//! | `hang` | no answer ever | no |
//! | `lost` | connection closed without an answer | yes |
//! | `hang-after` | no answer ever | yes |
//! | `malformed` | an answer whose body is neither JSON nor XML | yes |
//! | `truncated` | half the body under the length of the complete body | yes |
//! | `failed` | (Azure) accepted; the operation ends Failed and leaves the resource Failed | - |
//! | `expired` | (Azure) the operation's record is gone: its polls answer 404 | yes |

use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An error answer that each cloud words in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Injected {
    Refused,
    Throttled,
    Unavailable,
    Conflict,
    InternalError,
    TokenExpired,
    Denied,
    NotFound,
}

impl Injected {
    /// The status, code and message with which EC2 says it of `target`. EC2 throttles with 503 and
    /// has no 404.
    pub fn aws(self, target: &str) -> (u16, &'static str, &'static str) {
        match self {
            Injected::Refused => (
                400,
                "UnsupportedOperation",
                "The requested operation is not supported.",
            ),
            Injected::Throttled => (503, "RequestLimitExceeded", "Request limit exceeded."),
            Injected::Unavailable => (
                503,
                "Unavailable",
                "The server is overloaded and cannot handle the request.",
            ),
            Injected::Conflict => (
                400,
                "IncorrectState",
                "The resource is not in a state that allows the operation.",
            ),
            Injected::InternalError => (500, "InternalError", "An internal error has occurred"),
            Injected::TokenExpired => (400, "RequestExpired", "Request has expired."),
            Injected::Denied => (
                403,
                "UnauthorizedOperation",
                "You are not authorized to perform this operation.",
            ),
            Injected::NotFound => {
                let code = match target.split('-').next().unwrap_or_default() {
                    "vpn" => "InvalidVpnConnectionID.NotFound",
                    "vgw" => "InvalidVpnGatewayID.NotFound",
                    "cgw" => "InvalidCustomerGatewayID.NotFound",
                    "vpc" => "InvalidVpcID.NotFound",
                    "rtb" => "InvalidRouteTableID.NotFound",
                    "subnet" => "InvalidSubnetID.NotFound",
                    _ => "InvalidID",
                };
                (400, code, "The specified ID does not exist.")
            }
        }
    }
}

/// What happens to a call that a rule strikes; the module's table says what each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Answer(Injected),
    Dropped,
    Hang,
    Lost,
    HangAfter,
    Malformed,
    Truncated,
    OperationFailed,
    OperationExpired,
}

impl Kind {
    /// Every kind with its word.
    pub const ALL: [(&'static str, Kind); 16] = [
        ("refused", Kind::Answer(Injected::Refused)),
        ("429", Kind::Answer(Injected::Throttled)),
        ("503", Kind::Answer(Injected::Unavailable)),
        ("409", Kind::Answer(Injected::Conflict)),
        ("500", Kind::Answer(Injected::InternalError)),
        ("401", Kind::Answer(Injected::TokenExpired)),
        ("403", Kind::Answer(Injected::Denied)),
        ("404", Kind::Answer(Injected::NotFound)),
        ("dropped", Kind::Dropped),
        ("hang", Kind::Hang),
        ("lost", Kind::Lost),
        ("hang-after", Kind::HangAfter),
        ("malformed", Kind::Malformed),
        ("truncated", Kind::Truncated),
        ("failed", Kind::OperationFailed),
        ("expired", Kind::OperationExpired),
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            Kind::ALL
                .iter()
                .find(|(_, kind)| kind == self)
                .map_or("?", |(word, _)| word),
        )
    }
}

/// Which of the calls that a rule matches it strikes; they are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    Once(u64),
    /// That call and all later ones.
    From(u64),
    /// So many in so many, by chance.
    Chance(u64, u64),
}

impl When {
    fn applies(self, seen: u64, rng: &mut Rng) -> bool {
        match self {
            When::Once(call) => seen == call,
            When::From(call) => seen >= call,
            When::Chance(hits, of) => rng.below(of) < hits,
        }
    }
}

/// One rule of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub cloud: Option<String>,
    /// An operation's name or `*`.
    pub operation: String,
    pub target: Option<String>,
    pub when: When,
    pub kind: Kind,
    /// Matching calls so far.
    #[serde(default)]
    pub seen: u64,
}

/// Why a rule's text was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RuleError {
    #[error(
        "a rule reads `fail call N of OPERATION [on TARGET]: once|forever KIND` or `fail N in M of OPERATION [on TARGET]: KIND`; \
         `{0}` is missing or misplaced"
    )]
    Shape(&'static str),
    #[error("`{0}` is not a number from 1 up")]
    Number(String),
    #[error("`{0}` is no kind of fault; there are: {1}")]
    Kind(String, String),
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let (which, what) = text.rsplit_once(':').ok_or(RuleError::Shape(":"))?;
        let mut words = which.split_whitespace();
        if words.next() != Some("fail") {
            return Err(RuleError::Shape("fail"));
        }
        let number = |word: &str| {
            word.parse()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| RuleError::Number(word.to_owned()))
        };
        let (counted, chance) = match (words.next(), words.next()) {
            (Some("any"), Some("call")) => (1, None),
            (Some("call"), Some(call)) => (number(call)?, None),
            (Some(hits), Some("in")) => (
                number(hits)?,
                Some(number(words.next().unwrap_or_default())?),
            ),
            _ => return Err(RuleError::Shape("call N")),
        };
        if words.next() != Some("of") {
            return Err(RuleError::Shape("of"));
        }
        let mut operation = words.next().ok_or(RuleError::Shape("OPERATION"))?;
        let cloud = matches!(operation, "aws" | "azure").then(|| operation.to_owned());
        if cloud.is_some() {
            operation = words.next().ok_or(RuleError::Shape("OPERATION"))?;
        }
        let target = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some("on"), Some(target), None) => Some(target.to_owned()),
            _ => return Err(RuleError::Shape("on TARGET")),
        };
        let mut words = what.split_whitespace();
        let when = match chance {
            Some(of) => When::Chance(counted, of),
            None => match words.next() {
                Some("once") => When::Once(counted),
                Some("forever") => When::From(counted),
                _ => return Err(RuleError::Shape("once|forever")),
            },
        };
        let word = words.next().ok_or(RuleError::Shape("KIND"))?;
        let kind = Kind::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| {
                RuleError::Kind(word.to_owned(), Kind::ALL.map(|(name, _)| name).join(", "))
            })?;
        if words.next().is_some() {
            return Err(RuleError::Shape("the end after KIND"));
        }
        Ok(Rule {
            cloud,
            operation: operation.to_owned(),
            target,
            when,
            kind,
            seen: 0,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Once(call) | When::From(call) => write!(f, "fail call {call} of ")?,
            When::Chance(hits, of) => write!(f, "fail {hits} in {of} of ")?,
        }
        if let Some(cloud) = &self.cloud {
            write!(f, "{cloud} ")?;
        }
        f.write_str(&self.operation)?;
        if let Some(target) = &self.target {
            write!(f, " on {target}")?;
        }
        let word = match self.when {
            When::Once(_) => " once",
            When::From(_) => " forever",
            When::Chance(..) => "",
        };
        write!(f, ":{word} {}", self.kind)
    }
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub rules: Vec<Rule>,
}

impl Plan {
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Counts this call in every rule that it matches and says which fault, of the first rule that
    /// strikes, befalls it.
    pub fn next_fault(
        &mut self,
        cloud: &str,
        operation: &str,
        target: &str,
        rng: &mut Rng,
    ) -> Option<Kind> {
        let mut struck = None;
        for rule in &mut self.rules {
            let matches = rule.cloud.as_deref().is_none_or(|c| c == cloud)
                && (rule.operation == "*" || rule.operation.eq_ignore_ascii_case(operation))
                && rule
                    .target
                    .as_ref()
                    .is_none_or(|t| target.to_lowercase().contains(&t.to_lowercase()));
            if !matches {
                continue;
            }
            rule.seen += 1;
            if struck.is_none() && rule.when.applies(rule.seen, rng) {
                struck = Some(rule.kind);
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;

    #[test]
    fn fault_rule_round_trips_as_text() {
        for (word, _) in Kind::ALL {
            for text in [
                format!("fail call 3 of PutConnection: once {word}"),
                format!("fail call 1 of azure * on gw1: forever {word}"),
                format!("fail call 12 of aws CreateVpnConnection: once {word}"),
                format!("fail 3 in 1000 of azure *: {word}"),
            ] {
                assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
            }
        }
        assert_eq!(
            "fail any call of *: once lost"
                .parse::<Rule>()
                .unwrap()
                .to_string(),
            "fail call 1 of *: once lost"
        );
    }

    #[test]
    fn reject_invalid_fault_rule_with_reason() {
        assert_eq!(
            "fail call 0 of X: once 503".parse::<Rule>(),
            Err(RuleError::Number("0".into()))
        );
        assert_eq!(
            "fail 1 in 0 of X: 503".parse::<Rule>(),
            Err(RuleError::Number("0".into()))
        );
        assert!(matches!(
            "fail call 1 of X: once 999".parse::<Rule>(),
            Err(RuleError::Kind(..))
        ));
        for text in [
            "",
            "fail call 1 of X",
            "fail 1 of X: once 503",
            "fail call 1 of X at Y: once 503",
            "fail call 1 of X: 503",
        ] {
            assert!(
                matches!(text.parse::<Rule>(), Err(RuleError::Shape(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn once_hits_one_call_and_forever_all_later() {
        let mut plan = Plan::default();
        plan.add(
            "fail call 2 of PutConnection on inst0: once 503"
                .parse()
                .unwrap(),
        );
        let mut rng = Rng::seeded(1);
        let mut hit = |plan: &mut Plan, op: &str, target: &str| {
            plan.next_fault("azure", op, target, &mut rng).is_some()
        };
        assert!(!hit(&mut plan, "putconnection", "/x/INST0-a"));
        assert!(
            !hit(&mut plan, "PutConnection", "/x/inst1"),
            "another target is not counted"
        );
        assert!(
            !hit(&mut plan, "GetConnection", "/x/inst0"),
            "another operation is not counted"
        );
        assert!(hit(&mut plan, "PutConnection", "/x/inst0"));
        assert!(!hit(&mut plan, "PutConnection", "/x/inst0"));
        plan.clear();
        plan.add("fail call 2 of aws *: forever hang".parse().unwrap());
        let mut rng = Rng::seeded(1);
        assert_eq!(
            [0, 1, 2].map(|_| plan.next_fault("aws", "X", "", &mut rng)),
            [None, Some(Kind::Hang), Some(Kind::Hang)]
        );
        assert_eq!(plan.next_fault("azure", "X", "", &mut rng), None);
    }

    #[test]
    fn random_rule_applies_at_given_rate() {
        let (mut plan, mut rng) = (Plan::default(), Rng::seeded(1));
        plan.add("fail 1 in 10 of azure *: 503".parse().unwrap());
        let struck = (0..10_000)
            .filter(|_| plan.next_fault("azure", "X", "", &mut rng).is_some())
            .count();
        assert!((900..1_100).contains(&struck), "{struck}");
    }
}
