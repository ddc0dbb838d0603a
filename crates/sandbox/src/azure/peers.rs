//! Questions to a running gateway: its BGP peers, the routes it learned and advertises; resets. All
//! are POSTs whose result is read, as often as wanted, at the address in `Location`.

use super::call::Action;
use super::errors::ApiError;
use super::ids::{self, Id, Kind};
use super::network::network_prefixes;
use super::operations::{GatewayQuery, Operation, OperationResult, PollHeaders, json_response};
use super::resource::{Object, Resource};
use super::resource_ops::PendingChange;
use super::service::{AzureService, api_version};
use crate::http::{Request, Response};
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};

impl AzureService {
    /// POST actions other than the shared key's reset.
    pub(super) fn post_action(
        &mut self,
        action: Action,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let resource = self.find(id)?;
        let peer = ids::parameter(&request.query, "peer");
        let (result, least, most) = match action {
            Action::GetBgpPeerStatus => (
                OperationResult::GatewayQuery(GatewayQuery::Peers { peer }),
                3,
                8,
            ),
            Action::GetLearnedRoutes => {
                (OperationResult::GatewayQuery(GatewayQuery::Learned), 3, 8)
            }
            Action::GetAdvertisedRoutes => {
                let peer = peer.ok_or_else(|| {
                    ApiError::bad("MissingParameter", "The query parameter peer is required.")
                })?;
                (
                    OperationResult::GatewayQuery(GatewayQuery::Advertised { peer }),
                    3,
                    8,
                )
            }
            Action::ResetGateway => (OperationResult::Resource, 120, 300),
            Action::ResetConnection | Action::ResetSharedKey => (OperationResult::Nothing, 30, 60),
            Action::GetIkeSas => (OperationResult::Value("[]".into()), 3, 8),
        };
        self.require_queryable(resource.ready, id, request, cx)?;
        let span = cx
            .rng
            .duration(SimDuration::seconds(least), SimDuration::seconds(most));
        if action == Action::ResetGateway {
            self.require_idle(resource, request, cx)?;
            let key = id.key();
            self.require_unlocked(&key, id, request, cx)?;
            let record = self.start(
                &key,
                PendingChange {
                    verb: "Reset",
                    span,
                    lock: Some(key.clone()),
                    result,
                },
                request,
                cx,
            );
            return Ok(self.accepted(
                json_response(202, &Value::Null),
                &record,
                PollHeaders::Location,
                request,
                cx,
            ));
        }
        let operation = Operation {
            subscription: id.subscription.clone(),
            location: resource.location.clone(),
            api_version: api_version(request),
            target: id.key(),
            due: cx.now + span,
            error: None,
            answer: result,
            with_status: false,
            polls: 0,
        };
        let record = self.record(operation, cx);
        let response = match action {
            Action::ResetConnection => Response::new(202),
            _ => json_response(202, &Value::Null),
        };
        Ok(self.accepted(response, &record, PollHeaders::Location, request, cx))
    }

    /// A gateway or connection that has never stood can be asked nothing.
    fn require_queryable(
        &self,
        ready: bool,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        match self.resources.get(&id.key()) {
            Some(resource) if !ready && resource.id.kind == Kind::Gateway => {
                self.require_idle(resource, request, cx)?;
                Err(ApiError::new(
                    409,
                    "Conflict",
                    format!("Gateway {id} is in state {}.", resource.state.word()),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Answers a question about the gateway of that key, as things are now.
    pub(super) fn query_gateway(
        &self,
        gateway: &str,
        question: &GatewayQuery,
        cx: &Context<'_>,
    ) -> Value {
        let Some(gateway) = self.resources.get(gateway) else {
            return json!({"value": []});
        };
        let id = gateway.id.to_string();
        let rows: Vec<Value> = match question {
            GatewayQuery::Peers { peer } => cx
                .tunnels
                .azure_peers(&id)
                .into_iter()
                .filter(|row| peer.as_ref().is_none_or(|peer| *peer == row.neighbor.to_string()))
                .map(|row| {
                    let mut item = Object::new();
                    let own = cx.settings.peers_by_own_address.then(|| own_address(gateway, row.instance)).flatten();
                    item.insert("localAddress".into(), own.unwrap_or_else(|| row.local_ip.to_string()).into());
                    item.insert("neighbor".into(), row.neighbor.to_string().into());
                    item.insert("asn".into(), row.asn.into());
                    item.insert("state".into(), row.state.into());
                    if let Some(since) = row.connected_since {
                        item.insert("connectedDuration".into(), duration(cx.now.0.saturating_sub(since.0)).into());
                    }
                    item.insert("routesReceived".into(), row.routes_received.into());
                    item.insert("messagesSent".into(), row.messages_sent.into());
                    item.insert("messagesReceived".into(), row.messages_received.into());
                    item.into()
                })
                .collect(),
            GatewayQuery::Learned => cx
                .tunnels
                .azure_learned(&id)
                .into_iter()
                .map(|row| {
                    let mut item = json!({"localAddress": row.local_ip.to_string(), "network": row.network.to_string(),
                        "sourcePeer": row.source_peer.to_string(), "origin": row.origin, "asPath": row.as_path,
                        "weight": row.weight});
                    if let (Some(hop), Some(item)) = (row.next_hop, item.as_object_mut()) {
                        item.insert("nextHop".into(), hop.to_string().into());
                    }
                    item
                })
                .collect(),
            GatewayQuery::Advertised { peer } => {
                let asn = gateway.properties.pointer("/bgpSettings/asn").map(Value::to_string).unwrap_or_default();
                let networks = self.network_of(gateway).map(network_prefixes).unwrap_or_default();
                let peers = cx.tunnels.azure_peers(&id).into_iter().filter(|row| row.neighbor.to_string() == *peer);
                peers
                    .filter(|row| row.connected_since.is_some())
                    .flat_map(|row| {
                        let (local, hop) = (row.local_ip.to_string(), row.next_hop.to_string());
                        let asn = asn.clone();
                        networks.clone().into_iter().map(move |network| {
                            json!({"localAddress": local, "network": network.to_string(), "nextHop": hop,
                                "origin": "Igp", "asPath": asn, "weight": 0})
                        })
                    })
                    .collect()
            }
        };
        json!({"value": rows})
    }
}

/// The address of a gateway instance in the GatewaySubnet.
fn own_address(gateway: &Resource, instance: usize) -> Option<String> {
    let peering = gateway
        .properties
        .pointer("/bgpSettings/bgpPeeringAddresses")?
        .get(instance)?;
    peering
        .pointer("/defaultBgpIpAddresses/0")?
        .as_str()
        .map(str::to_owned)
}

/// A .NET time span: `[d.]hh:mm:ss.fffffff`.
fn duration(millis: u64) -> String {
    let (days, seconds) = (millis / 86_400_000, millis / 1_000 % 86_400);
    let day = if days > 0 {
        format!("{days}.")
    } else {
        String::new()
    };
    format!(
        "{day}{:02}:{:02}:{:02}.{:03}0000",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1_000
    )
}
