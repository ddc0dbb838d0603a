//! The clouds' own schemas, and what breaks them: every request that reaches the sandbox and every
//! answer that it gives is held against condensed copies of them, in `sandbox/schemas/`.
//!
//! | file | is |
//! |---|---|
//! | `azure.json` | models, enums and operations of Microsoft.Network 2026-03-01, from the SDK for Python; what Resource Manager and the identity endpoints add, from documentation and recordings |
//! | `ec2.json`, `sts.json` | the operations served here, with their shapes, from the service models 2016-11-15 and 2011-06-15 |
//!
//! | room | holds |
//! |---|---|
//! | `shape` | models and types, read from those files |
//! | `violations` | what was found wrong, and where |
//! | `json`, `query`, `xml` | the three forms that a body has |
//! | `azure`, `aws` | one exchange with either cloud |
//!
//! Unknown members, missing ones, wrong types and wrong enum values are violations. A violation is
//! counted, described without the offending value (it may be a key) and changes no answer.

mod aws;
mod azure;
mod json;
mod query;
mod shape;
mod violations;
mod xml;

#[cfg(test)]
mod tests;

use crate::aws::{Call, Service};
use crate::http::{Request, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;
use violations::Violations;

/// So many violations are kept in words; all are counted.
const KEPT: usize = 100;
/// Long-running operations whose results are expected, at most.
const EXPECTED: usize = 10_000;

/// All schemas, read once.
struct Schemas {
    azure: azure::Schema,
    ec2: aws::Schema,
    sts: aws::Schema,
}

static SCHEMAS: LazyLock<Result<Schemas, shape::Error>> = LazyLock::new(|| {
    Ok(Schemas {
        azure: azure::Schema::read(include_str!("../../schemas/azure.json"))?,
        ec2: aws::Schema::read(include_str!("../../schemas/ec2.json"))?,
        sts: aws::Schema::read(include_str!("../../schemas/sts.json"))?,
    })
});

/// Which side of an exchange a document is of: they differ in what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
    /// A reference to another resource, in either: its id must be there.
    Reference,
    /// What comes along with a reference: nothing must be there.
    Loose,
}

/// Looks at exchanges and keeps count.
#[derive(Clone, Debug, Default)]
pub struct SchemaValidator {
    /// Requests and answers looked at.
    pub requests: u64,
    pub answers: u64,
    /// Everything found wrong so far, also what is not kept in words.
    pub violations: u64,
    /// The first of them, each in a line.
    pub words: Vec<String>,
    /// Operations looked at, as the call log names them.
    pub operations: BTreeSet<String>,
    /// What the result of an Azure operation must be, by the name of its record.
    results: BTreeMap<String, azure::Expected>,
}

impl SchemaValidator {
    /// Looks at a call to Azure, and at its answer unless none was sent or a fault rule has mangled
    /// it.
    pub fn azure(&mut self, operation: &str, request: &Request, answer: Option<&Response>) {
        let Some(schemas) = self.schemas() else {
            return;
        };
        self.count(operation, answer);
        let mut found = Violations::of(operation);
        let results = &mut self.results;
        schemas
            .azure
            .check(operation, request, answer, results, &mut found);
        // A client that never asks for its results must not make them pile up.
        if results.len() > EXPECTED {
            results.clear();
        }
        self.keep(found);
    }

    /// Likewise for a call to AWS.
    pub fn aws(&mut self, call: &Call, request: &Request, answer: Option<&Response>) {
        let Some(schemas) = self.schemas() else {
            return;
        };
        let schema = match call.service {
            Service::Ec2 => &schemas.ec2,
            Service::Sts => &schemas.sts,
            // The official client decodes the answers; there is no copy of its schema here.
            Service::ServiceQuotas => return,
        };
        self.count(&call.operation, answer);
        let mut found = Violations::of(&call.operation);
        schema.request(call, request, &mut found);
        if let Some(answer) = answer {
            schema.answer(call, answer, &mut found);
        }
        self.keep(found);
    }

    /// Only the answer to a call to AWS: where wrong requests are made on purpose.
    #[cfg(test)]
    pub(crate) fn aws_answer(&mut self, call: &Call, answer: &Response) {
        let Some(schemas) = self.schemas() else {
            return;
        };
        let mut found = Violations::of(&call.operation);
        let schema = if call.service == Service::Sts {
            &schemas.sts
        } else {
            &schemas.ec2
        };
        schema.answer(call, answer, &mut found);
        self.keep(found);
    }

    /// A request to an address that neither cloud has.
    pub fn unmatched(&mut self, request: &Request) {
        self.requests += 1;
        let mut found = Violations::of("Unknown");
        found.add(&format!(
            "neither cloud has {} {}",
            request.method, request.path
        ));
        self.keep(found);
    }

    /// The figures, a name and a number a line, and then the violations that were kept.
    pub fn report(&self) -> String {
        let mut text = String::new();
        for (name, figure) in [
            ("requests", self.requests),
            ("answers", self.answers),
            ("operations", self.operations.len() as u64),
            ("violations", self.violations),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name} {figure}");
        }
        for words in &self.words {
            let _ = writeln!(text, "{words}");
        }
        text
    }

    fn schemas(&mut self) -> Option<&'static Schemas> {
        match &*SCHEMAS {
            Ok(schemas) => Some(schemas),
            Err(error) => {
                let mut found = Violations::of("Schemas");
                found.add(&error.to_string());
                self.keep(found);
                None
            }
        }
    }

    fn count(&mut self, operation: &str, answer: Option<&Response>) {
        self.requests += 1;
        self.answers += u64::from(answer.is_some());
        if !self.operations.contains(operation) {
            self.operations.insert(operation.to_owned());
        }
    }

    fn keep(&mut self, found: Violations) {
        self.violations += found.lines.len() as u64;
        let room = KEPT.saturating_sub(self.words.len());
        self.words.extend(found.lines.into_iter().take(room));
    }
}
