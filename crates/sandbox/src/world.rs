//! The pure state machine of both clouds: `(now, request) -> outcome`. It reads no clock and draws
//! chance only from its own generator, so that the same seed and the same calls at the same
//! instants give the same run. Its serialised form is `world.json`.
//!
//! Every call goes the same way: what is due happens, the tunnels are looked at again, the call is
//! named, the fault plan is asked, and only then does the cloud that was meant act and answer.

use crate::authorization::Authorization;
use crate::call_log::CallRecord;
use crate::faults::{Injected, Kind, Plan};
use crate::http::{Outcome, Request, Response};
use crate::rng::Rng;
use crate::schema::SchemaValidator;
use crate::time::{SimDuration, SimTime};
use crate::variation::Variation;
use crate::{aws, azure, dataplane};
use serde::{Deserialize, Serialize};

/// What does not change while a world runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Simulated milliseconds per millisecond of the client's clock.
    pub time_scale: u64,
    /// Azure's Retry-After grows with the polls of an operation, as recorded in 2022, instead of
    /// staying at 10 s.
    pub growing_retry_after: bool,
    /// Simulated time that one call takes in memory.
    pub latency: SimDuration,
    /// Lifetime of an Azure access token on the client's clock: clients compute expiry on their
    /// own.
    pub token_lifetime_seconds: u64,
    /// What instant 0 of simulated time is called in dates, in seconds since 1970.
    pub epoch_unix_seconds: i64,
    /// The only Azure subscription there is.
    pub subscription_id: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: String,
    /// Whether requests beyond a subscription's token buckets are refused.
    pub throttling: bool,
    /// Whether rows of BGP peers have the gateway instance's address in the GatewaySubnet as local
    /// address, as all published samples have it, and not the custom address of the connection.
    pub peers_by_own_address: bool,
    /// Whether answers vary in what the clouds do not promise: the order of lists and the letter
    /// case of Azure's ids.
    pub varied_answers: bool,
    /// Whether no region changes the bandwidth of a connection in place; us-west-2 never does.
    pub fixed_bandwidth: bool,
    /// Which Azure it plays.
    pub azure_cloud: azure::AzureCloud,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            time_scale: 1,
            growing_retry_after: false,
            latency: SimDuration(80),
            token_lifetime_seconds: 3_600,
            epoch_unix_seconds: 1_767_225_600,
            subscription_id: "00000000-0000-4000-a000-00000000a2e0".into(),
            tenant_id: "00000000-0000-4000-a000-0000000007e0".into(),
            client_id: "00000000-0000-4000-a000-0000000c11e0".into(),
            client_secret: "sandbox-client-secret".into(),
            throttling: true,
            peers_by_own_address: false,
            varied_answers: false,
            fixed_bandwidth: false,
            azure_cloud: azure::AzureCloud::Public,
        }
    }
}

impl Settings {
    /// The headers that ask a client to wait for this much simulated time. `Retry-After` is always
    /// a complete number of seconds from 1 up; a wait that the time scale makes shorter is given in
    /// milliseconds only, for clients parse the former as an integer and take 0 for "not said".
    pub fn retry_after(&self, wait: SimDuration) -> Vec<(&'static str, String)> {
        let millis = wait.0 / self.time_scale.max(1);
        if millis >= 1_000 {
            return vec![("Retry-After", (millis / 1_000).to_string())];
        }
        let text = millis.max(1).to_string();
        vec![
            ("x-ms-retry-after-ms", text.clone()),
            ("retry-after-ms", text),
        ]
    }

    /// Simulated time as a date, in seconds since 1970.
    pub fn unix_seconds(&self, at: SimTime) -> i64 {
        self.epoch_unix_seconds
            .saturating_add(i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX))
    }
}

/// What a cloud is lent while it answers a call.
pub struct Context<'a> {
    pub now: SimTime,
    pub rng: &'a mut Rng,
    pub tunnels: &'a dataplane::Tunnels,
    pub settings: &'a Settings,
    pub authorization: &'a mut Authorization,
}

/// A call's reply, and the call as it is logged (`start_ms`, `end_ms` and `sim_end_ms` are the
/// transport's to fill).
#[derive(Clone, Debug)]
pub struct Exchange {
    pub outcome: Outcome,
    pub record: CallRecord,
}

/// Both clouds, the tunnels between them, the fault plan and chance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub azure: azure::AzureService,
    pub aws: aws::AwsService,
    pub tunnels: dataplane::Tunnels,
    pub faults: Plan,
    pub settings: Settings,
    /// What it found of requests and answers against the clouds' schemas, since this program was
    /// started.
    #[serde(skip)]
    pub validator: SchemaValidator,
    /// What callers may do. A file of a world does not keep it.
    #[serde(skip)]
    pub authorization: Authorization,
    rng: Rng,
    #[serde(default)]
    variation: Variation,
    /// Calls answered so far.
    calls: u64,
    /// The latest instant that it has seen.
    now: SimTime,
    /// What an attached lab is asked to break.
    #[serde(skip)]
    pub lab_faults: Vec<crate::dataplane::LabFault>,
    /// What the ends of the tunnels were like when they were looked at last: they are many, and
    /// most calls change none.
    #[serde(skip)]
    last_revision: Option<(u64, u64)>,
}

enum Called {
    Azure(azure::Call),
    Aws(aws::Call),
}

impl World {
    pub fn new(seed: u64, settings: Settings) -> World {
        World {
            azure: azure::AzureService::default(),
            aws: aws::AwsService::default(),
            tunnels: dataplane::Tunnels::default(),
            faults: Plan::default(),
            settings,
            validator: SchemaValidator::default(),
            authorization: Authorization::default(),
            rng: Rng::seeded(seed),
            variation: Variation::seeded(seed),
            calls: 0,
            now: SimTime::default(),
            lab_faults: Vec::new(),
            last_revision: None,
        }
    }

    /// From here on chance is another seed's.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = Rng::seeded(seed);
        self.variation.reseed(seed);
    }

    /// From here on answers vary, and Azure spells ids in another way.
    pub fn respell(&mut self, seed: u64) {
        self.settings.varied_answers = true;
        self.variation.respell(seed);
    }

    /// The latest instant that it has seen. A world that is read from a file continues from there.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Lets everything happen that is due by `now`, without a call.
    pub fn advance(&mut self, now: SimTime) {
        self.now = self.now.max(now);
        let now = self.now;
        self.azure.advance(now, &mut self.rng);
        self.aws.advance(now, &mut self.rng);
        let revision = (self.aws.revision(), self.azure.revision());
        if self.last_revision.replace(revision) == Some(revision) {
            self.tunnels.advance(now);
        } else {
            self.tunnels
                .refresh(now, &self.aws.endpoints(), &self.azure.endpoints());
        }
    }

    /// The configuration of the tunnel ends in each cloud, as of the last [`World::advance`].
    pub fn endpoints(&self) -> (Vec<dataplane::AwsEndpoint>, Vec<dataplane::AzureEndpoint>) {
        (self.aws.endpoints(), self.azure.endpoints())
    }

    /// Answers one call at the instant `now`; an instant earlier than the last counts as the last.
    pub fn handle(&mut self, now: SimTime, request: &Request) -> Exchange {
        self.advance(now);
        let now = self.now;
        let called = aws::AwsService::classify(request)
            .map(Called::Aws)
            .or_else(|| azure::AzureService::classify(request).map(Called::Azure));
        let (cloud, operation, target) = match &called {
            Some(Called::Aws(call)) => ("aws", call.log_name(), call.target.clone()),
            Some(Called::Azure(call)) => ("azure", call.operation.to_string(), call.target.clone()),
            None => ("none", "Unknown".to_owned(), request.path.clone()),
        };
        let fault = self
            .faults
            .next_fault(cloud, &operation, &target, &mut self.rng);
        let outcome = match &called {
            Some(called) => self.answer(now, called, request, fault),
            None => Outcome::Response(
                Response::new(404).with_body("text/plain", "no such address in either cloud\n"),
            ),
        };
        // An answer that a rule mangled is no answer of the clouds'.
        let mangled = matches!(fault, Some(Kind::Malformed | Kind::Truncated));
        let said = match &outcome {
            Outcome::Response(response) if !mangled => Some(response),
            _ => None,
        };
        match &called {
            Some(Called::Azure(call)) => self.validator.azure(&call.operation, request, said),
            Some(Called::Aws(call)) => self.validator.aws(call, request, said),
            None => self.validator.unmatched(request),
        }
        self.calls += 1;
        let status = match &outcome {
            Outcome::Response(response) => Some(response.status),
            Outcome::Dropped | Outcome::Hang => None,
        };
        let record = CallRecord {
            n: self.calls,
            cloud: cloud.to_owned(),
            operation,
            target,
            start_ms: 0,
            end_ms: 0,
            sim_start_ms: now.0,
            sim_end_ms: now.0,
            status,
            fault: fault.map(|kind| kind.to_string()),
        };
        Exchange { outcome, record }
    }

    fn answer(
        &mut self,
        now: SimTime,
        called: &Called,
        request: &Request,
        fault: Option<Kind>,
    ) -> Outcome {
        let mut cx = Context {
            now,
            rng: &mut self.rng,
            tunnels: &self.tunnels,
            settings: &self.settings,
            authorization: &mut self.authorization,
        };
        match fault {
            Some(Kind::Dropped) => return Outcome::Dropped,
            Some(Kind::Hang) => return Outcome::Hang,
            Some(Kind::Answer(injected)) => {
                return Outcome::Response(match called {
                    Called::Azure(call) => {
                        self.azure.error_response(injected, call, request, &mut cx)
                    }
                    Called::Aws(call) => {
                        let (status, code, message) = injected.aws(&call.target);
                        let mut response = call.error_response(status, code, message, cx.rng);
                        if matches!(injected, Injected::Throttled | Injected::Unavailable) {
                            let wait = cx.settings.retry_after(SimDuration::seconds(5));
                            response.headers.extend(
                                wait.into_iter()
                                    .map(|(name, value)| (name.to_owned(), value)),
                            );
                        }
                        response
                    }
                });
            }
            Some(Kind::OperationExpired) => {
                if let Called::Azure(call) = called {
                    self.azure.forget_operation(&call.target);
                }
            }
            _ => {}
        }
        let mut response = match called {
            Called::Azure(call) => self.azure.handle(call, request, &mut cx),
            Called::Aws(call) => self.aws.handle(call, request, &mut cx),
        };
        if self.settings.varied_answers && response.status < 300 {
            let varied = match called {
                Called::Azure(call) => self.variation.azure(&call.operation, &response.body),
                Called::Aws(_) => std::str::from_utf8(&response.body)
                    .ok()
                    .map(|body| self.variation.ec2(body).into_bytes()),
            };
            response.body = varied.unwrap_or(response.body);
        }
        match fault {
            Some(Kind::Lost) => return Outcome::Dropped,
            Some(Kind::HangAfter) => return Outcome::Hang,
            Some(Kind::Malformed) => response.body = b"<<< not what was asked for >>>".to_vec(),
            Some(Kind::Truncated) => {
                let length = response.body.len();
                response.body.truncate(length / 2);
                response = response.with_header("Content-Length", length.to_string());
            }
            Some(Kind::OperationFailed) => {
                if let Called::Azure(call) = called {
                    self.azure.fail_operation(&call.target);
                }
            }
            Some(Kind::OperationExpired) => {
                if let Called::Azure(call) = called {
                    self.azure.forget_operations_of(&call.target);
                }
            }
            _ => {}
        }
        Outcome::Response(response)
    }

    /// Every object of both clouds as `awsazure-sandbox world` prints it; deleted ones and keys
    /// left out.
    pub fn objects(&self) -> serde_json::Value {
        serde_json::json!({"aws": self.aws.objects(), "azure": self.azure.objects()})
    }
}
