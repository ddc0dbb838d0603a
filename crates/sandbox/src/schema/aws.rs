//! An exchange with EC2 or STS: parameters against the operation's input, elements against its
//! output.

use super::query::{self, Parameter};
use super::shape::{Enums, Error, Kind, Shapes, Written};
use super::violations::{Place, Violations};
use super::xml::{self, Reader};
use crate::aws::{Call, Service};
use crate::http::{Request, Response};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Parameters that every request has, and those with which a request is signed in its query.
const COMMON: [&str; 2] = ["Action", "Version"];
const SIGNATURE: &str = "X-Amz-";

/// The file as it is written.
#[derive(Deserialize)]
struct File {
    enums: Enums,
    operations: BTreeMap<String, BTreeMap<String, String>>,
    requests: Written,
    answers: Written,
}

/// Models of an operation's input and output.
#[derive(Debug)]
struct Operation {
    request: Option<usize>,
    answer: Option<usize>,
}

/// One service's schema.
#[derive(Debug)]
pub(super) struct Schema {
    requests: Shapes,
    answers: Shapes,
    operations: BTreeMap<String, Operation>,
    refusal: Kind,
}

impl Schema {
    pub fn read(text: &str) -> Result<Schema, Error> {
        let file: File = serde_json::from_str(text)?;
        let (requests, answers) = (
            Shapes::read(&file.requests, &file.enums)?,
            Shapes::read(&file.answers, &file.enums)?,
        );
        let model = |shapes: &Shapes, written: Option<&String>| match written
            .map(|name| shapes.kind(name))
            .transpose()?
        {
            Some(Kind::Model(model)) => Ok::<_, Error>(Some(model)),
            _ => Ok(None),
        };
        let mut operations = BTreeMap::new();
        for (name, written) in file.operations {
            let request = model(&requests, written.get("request"))?;
            let answer = model(&answers, written.get("answer"))?;
            operations.insert(name, Operation { request, answer });
        }
        let refusal = answers.kind("Refusal")?;
        Ok(Schema {
            requests,
            answers,
            operations,
            refusal,
        })
    }

    pub fn request(&self, call: &Call, request: &Request, found: &mut Violations) {
        let Some(operation) = self.operations.get(&call.operation) else {
            return found.add("an operation that has no schema");
        };
        if request.method == "POST" {
            let form = request
                .header("content-type")
                .is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
            if !form {
                found.add("the request's Content-Type is not that of a form");
            }
        }
        let place = Place::root("request");
        for name in COMMON {
            if !call.parameters().any(|(own, _)| own == name) {
                found.at(&place.of(name), "missing");
            }
        }
        let plain = |name: &str| !COMMON.contains(&name) && !name.starts_with(SIGNATURE);
        let parameters: Vec<Parameter<'_>> =
            call.parameters().filter(|(name, _)| plain(name)).collect();
        let member = (call.service == Service::Sts).then_some("member");
        match operation.request {
            Some(model) => {
                query::structure(&self.requests, model, member, &parameters, &place, found)
            }
            None if parameters.is_empty() => {}
            None => found.add("parameters where none belong"),
        }
    }

    pub fn answer(&self, call: &Call, answer: &Response, found: &mut Violations) {
        let xml = answer
            .headers
            .iter()
            .any(|(n, v)| n.eq_ignore_ascii_case("content-type") && v.starts_with("text/xml"));
        if !xml {
            found.add("the answer's Content-Type is not text/xml");
        }
        let Ok(document) = std::str::from_utf8(&answer.body) else {
            return found.add("an answer that is not UTF-8");
        };
        let (mut reader, place) = (Reader::of(document), Place::root("answer"));
        let Some(root) = reader.open() else {
            return found.add("an answer that is not XML");
        };
        let item = if call.service == Service::Sts {
            "member"
        } else {
            "item"
        };
        if answer.status >= 400 {
            let expected = if call.service == Service::Sts {
                "ErrorResponse"
            } else {
                "Response"
            };
            if root != expected {
                found.at(&place.of(root), "not what a refusal is called");
            }
            xml::element(
                &self.answers,
                &self.refusal,
                item,
                &mut reader,
                root,
                &place,
                found,
            );
        } else {
            self.success(call, root, item, &mut reader, &place, found);
        }
        if !reader.at_end() {
            found.add("something after the answer's end");
        }
        if answer.status != 200 && answer.status < 400 {
            found.add(&format!("status {} where 200 belongs", answer.status));
        }
    }

    /// EC2 puts the members next to a requestId, STS into a separate result.
    fn success(
        &self,
        call: &Call,
        root: &str,
        item: &str,
        reader: &mut Reader<'_>,
        place: &Place<'_>,
        found: &mut Violations,
    ) {
        if root.strip_suffix("Response") != Some(call.operation.as_str()) {
            found.at(&place.of(root), "not what the answer is called");
        }
        let Some(operation) = self.operations.get(&call.operation) else {
            return;
        };
        let (result, ignored): (_, &[&str]) = match (call.service, operation.answer) {
            (Service::Sts, _) => (reader.open().filter(|name| name.ends_with("Result")), &[]),
            (Service::Ec2 | Service::ServiceQuotas, Some(_)) => (None, &["requestId"]),
            (Service::Ec2 | Service::ServiceQuotas, None) => (None, &["requestId", "return"]),
        };
        match operation.answer {
            Some(model) => {
                let seen = xml::members(&self.answers, model, item, reader, ignored, place, found);
                xml::missing(&self.answers, model, seen, place, found);
            }
            None => {
                while let Some(child) = reader.open() {
                    if !ignored.contains(&child) {
                        found.at(&place.of(child), "unknown");
                    }
                    reader.skip(child);
                }
            }
        }
        if call.service == Service::Sts {
            if !result.is_some_and(|result| reader.close(result)) {
                found.add("no result of its own in the answer");
            }
            match reader.open() {
                Some("ResponseMetadata") => reader.skip("ResponseMetadata"),
                _ => found.at(&place.of("ResponseMetadata"), "missing"),
            }
        }
        if !reader.close(root) {
            found.add("an answer that is not well formed");
        }
    }
}
