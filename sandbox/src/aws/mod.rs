//! AWS's half.

use crate::dataplane::AwsEnd;
use crate::rng::Rng;
use crate::time::SimTime;
use crate::wire::{Request, Response};
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    pub target: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Cloud {}

impl Cloud {
    pub fn classify(_: &Request) -> Option<Call> {
        None
    }

    pub fn handle(&mut self, _: &Call, _: &Request, _: &mut Context<'_>) -> Response {
        Response::new(404)
    }

    pub fn advance(&mut self, _: SimTime, _: &mut Rng) {}

    pub fn ends(&self) -> Vec<AwsEnd> {
        Vec::new()
    }

    pub fn objects(&self) -> Vec<serde_json::Value> {
        Vec::new()
    }

    pub fn error_response(_: u16, _: &str, _: &str, _: &mut Rng) -> Response {
        Response::new(500)
    }
}
