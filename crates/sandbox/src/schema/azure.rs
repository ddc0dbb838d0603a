//! An exchange with Azure: query, body, status, headers and the answer's body, by operation.

use super::Side;
use super::json;
use super::query::{self, Parameter};
use super::shape::{Enums, Error, Kind, Shapes, Written};
use super::violations::{Place, Violations};
use crate::http::{Request, Response};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Every answer beneath `/subscriptions` carries these, in all recordings.
const ALWAYS: [&str; 9] = [
    "Cache-Control",
    "Pragma",
    "Expires",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "x-ms-request-id",
    "x-ms-correlation-request-id",
    "x-ms-arm-service-request-id",
    "x-ms-routing-request-id",
];

/// The file as it is written.
#[derive(Deserialize)]
struct File {
    enums: Enums,
    operations: BTreeMap<String, WrittenOperation>,
    models: Written,
}

#[derive(Deserialize)]
struct WrittenOperation {
    #[serde(default)]
    query: Vec<String>,
    /// Type of a JSON body, or model of a form.
    body: Option<String>,
    form: Option<String>,
    /// Types of the bodies by status; empty for none.
    answers: BTreeMap<u16, String>,
    /// Headers of an accepted operation.
    #[serde(default)]
    headers: Vec<String>,
    /// Type of what a poll of `Location` gives in the end; empty for nothing.
    result: Option<String>,
}

/// What the result of an operation must be: nothing, or of a type.
pub(super) type Expected = Option<Kind>;

#[derive(Debug)]
struct Operation {
    query: Vec<String>,
    body: Option<Kind>,
    form: Option<Kind>,
    answers: BTreeMap<u16, Expected>,
    headers: Vec<String>,
    result: Option<Expected>,
}

#[derive(Debug)]
pub(super) struct Schema {
    shapes: Shapes,
    operations: BTreeMap<String, Operation>,
    refusal: Kind,
    token_refusal: Kind,
}

impl Schema {
    pub fn read(text: &str) -> Result<Schema, Error> {
        let file: File = serde_json::from_str(text)?;
        let shapes = Shapes::read(&file.models, &file.enums)?;
        let expected = |text: &String| (!text.is_empty()).then(|| shapes.kind(text)).transpose();
        let mut operations = BTreeMap::new();
        for (name, written) in file.operations {
            let answers = written
                .answers
                .iter()
                .map(|(status, text)| Ok((*status, expected(text)?)));
            let operation = Operation {
                query: written.query,
                body: written
                    .body
                    .as_ref()
                    .map(|body| shapes.kind(body))
                    .transpose()?,
                form: written
                    .form
                    .as_ref()
                    .map(|form| shapes.kind(form))
                    .transpose()?,
                answers: answers.collect::<Result<_, Error>>()?,
                headers: written.headers,
                result: written.result.as_ref().map(expected).transpose()?,
            };
            operations.insert(name, operation);
        }
        let (refusal, token_refusal) = (shapes.kind("Refusal")?, shapes.kind("TokenError")?);
        Ok(Schema {
            shapes,
            operations,
            refusal,
            token_refusal,
        })
    }

    /// Looks at both sides. `results` remembers what the operations that were accepted must end
    /// with.
    pub fn check(
        &self,
        name: &str,
        request: &Request,
        answer: Option<&Response>,
        results: &mut BTreeMap<String, Expected>,
        found: &mut Violations,
    ) {
        let Some(operation) = self.operations.get(name) else {
            return found.add("an operation that has no schema");
        };
        self.request(operation, request, found);
        if let Some(answer) = answer {
            let expected = match (name, answer.status) {
                // As was promised when it was accepted; before this program was started, by an
                // unknown operation.
                ("GetOperationResult", 200) => results.get(record(&request.path)),
                _ => None,
            };
            self.answer(operation, expected, request, answer, found);
            if let (Some(result), 201 | 202) = (&operation.result, answer.status)
                && let Some(location) = header(answer, "Location")
            {
                results.insert(record(location).to_owned(), result.clone());
            }
        }
    }

    fn request(&self, operation: &Operation, request: &Request, found: &mut Violations) {
        let place = Place::root("query");
        for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair
                .split('=')
                .next()
                .unwrap_or_default()
                .replace("%24", "$");
            if !operation
                .query
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name))
            {
                found.at(&place.of(&name), "unknown");
            }
        }
        let place = Place::root("request");
        let kind = request.header("content-type").unwrap_or_default();
        match (&operation.body, &operation.form) {
            (Some(body), _) => {
                if !kind.starts_with("application/json") {
                    found.at(&place, "a body whose Content-Type is not JSON");
                }
                match serde_json::from_slice::<Value>(&request.body) {
                    Ok(value) => {
                        json::check(&self.shapes, body, Side::Request, &value, &place, found)
                    }
                    Err(_) => found.at(&place, "a body that is not JSON"),
                }
            }
            (None, Some(Kind::Model(model))) => {
                let form = String::from_utf8_lossy(&request.body);
                let pairs = form.split('&').filter(|pair| !pair.is_empty());
                let mut fields: Vec<Parameter<'_>> = pairs
                    .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                    .collect();
                fields.sort_unstable();
                query::structure(&self.shapes, *model, None, &fields, &place, found);
            }
            _ if request.body.is_empty() => {}
            _ => found.at(&place, "a body where none belongs"),
        }
    }

    fn answer(
        &self,
        operation: &Operation,
        expected: Option<&Expected>,
        request: &Request,
        answer: &Response,
        found: &mut Violations,
    ) {
        let status = answer.status;
        if request.path.starts_with("/subscriptions") {
            for name in ALWAYS.iter().filter(|name| header(answer, name).is_none()) {
                found.add(&format!("header {name} is missing with status {status}"));
            }
        }
        let place = Place::root("answer");
        let kind = match operation.answers.get(&status) {
            Some(kind) => expected.unwrap_or(kind).as_ref(),
            None if status >= 400 => Some(
                if operation.form.is_some() && !answer.body.starts_with(b"{\"error\":{") {
                    &self.token_refusal
                } else {
                    &self.refusal
                },
            ),
            None => {
                return found.add(&format!(
                    "status {status}, which this operation does not have"
                ));
            }
        };
        let accepted = matches!(status, 201 | 202)
            || (status == 200
                && operation
                    .headers
                    .iter()
                    .any(|name| name == "Azure-AsyncOperation"));
        if accepted {
            for name in operation
                .headers
                .iter()
                .filter(|name| !promised(answer, name))
            {
                found.add(&format!("header {name} is missing with status {status}"));
            }
        }
        match kind {
            _ if request.method == "HEAD" && answer.body.is_empty() => {}
            None if answer.body.is_empty() || answer.body == b"null" => {}
            None => found.at(
                &place,
                &format!("a body with status {status}, which has none"),
            ),
            Some(kind) => {
                if !header(answer, "Content-Type")
                    .is_some_and(|kind| kind.starts_with("application/json"))
                {
                    found.at(&place, "a body whose Content-Type is not JSON");
                }
                match serde_json::from_slice::<Value>(&answer.body) {
                    Ok(value) => {
                        json::check(&self.shapes, kind, Side::Answer, &value, &place, found)
                    }
                    Err(_) => found.at(&place, "a body that is not JSON"),
                }
            }
        }
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Whether a header is there. A wait of less than a second of the client is given in milliseconds.
fn promised(answer: &Response, name: &str) -> bool {
    header(answer, name).is_some()
        || (name == "Retry-After" && header(answer, "x-ms-retry-after-ms").is_some())
}

/// The name of an operation's record: what its address ends with.
fn record(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}
