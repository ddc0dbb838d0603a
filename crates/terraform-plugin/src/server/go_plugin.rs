//! What the client of go-plugin needs in addition to the provider: health, shutdown, and two empty
//! streams.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use crate::protocol::goplugin::grpc_broker_server::GrpcBroker;
use crate::protocol::goplugin::grpc_controller_server::GrpcController;
use crate::protocol::goplugin::grpc_stdio_server::GrpcStdio;
use crate::protocol::goplugin::{ConnInfo, Empty, StdioData};
use crate::protocol::health::health_check_response::ServingStatus;
use crate::protocol::health::health_server::Health;
use crate::protocol::health::{HealthCheckRequest, HealthCheckResponse};
use crate::shutdown::Shutdown;

/// The name under which go-plugin asks for health.
const SERVICE: &str = "plugin";

/// Answers go-plugin's own calls.
#[derive(Clone)]
pub struct GoPluginServices(Arc<Shutdown>);

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl GoPluginServices {
    /// Housekeeping whose Shutdown ends `stop`'s process.
    pub fn new(stop: Arc<Shutdown>) -> Self {
        Self(stop)
    }

    /// Says `first`, then nothing, and ends with the process: an open stream would hold it up.
    fn idle_stream<T: Send + 'static>(&self, first: Option<T>) -> Messages<T> {
        let rest = stream::pending().take_until(self.0.ending().clone().cancelled_owned());
        Box::pin(stream::iter(first.map(Ok)).chain(rest))
    }
}

#[tonic::async_trait]
impl Health for GoPluginServices {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.as_str() {
            "" | SERVICE => Ok(Response::new(HealthCheckResponse {
                status: ServingStatus::Serving.into(),
            })),
            _ => Err(Status::not_found("no such service")),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Messages<HealthCheckResponse>>, Status> {
        let status = match request.get_ref().service.as_str() {
            "" | SERVICE => ServingStatus::Serving,
            _ => ServingStatus::ServiceUnknown,
        };
        Ok(Response::new(self.idle_stream(Some(HealthCheckResponse {
            status: status.into(),
        }))))
    }
}

#[tonic::async_trait]
impl GrpcController for GoPluginServices {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.end();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for GoPluginServices {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Messages<StdioData>>, Status> {
        Ok(Response::new(self.idle_stream(None)))
    }
}

#[tonic::async_trait]
impl GrpcBroker for GoPluginServices {
    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Messages<ConnInfo>>, Status> {
        Ok(Response::new(self.idle_stream(None)))
    }
}
