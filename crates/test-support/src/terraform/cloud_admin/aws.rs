//! Manual changes in AWS.

use super::{CloudAdmin, waits};
use awsazure::aws::model::{RouteTableId, TunnelOptions, VpcId, VpnConnectionId, VpnGatewayId};
use awsazure::aws::{self, Filter, IdempotencyKey};
use bgp_vpn::types::{Asn, Tags};
use std::time::Duration;

impl CloudAdmin {
    /// Makes a VPC; its id.
    pub fn make_vpc(&self, cidr: &str) -> String {
        let (ctx, none) = (waits(), Tags::new());
        let vpc = self.ec2.create_vpc(
            &ctx,
            cidr.parse().unwrap(),
            &none,
            IdempotencyKey::new(&none),
        );
        self.runtime.block_on(vpc).unwrap().id.to_string()
    }

    /// Makes a route table in addition to the main one of the VPC; its id.
    pub fn make_route_table(&self, vpc: &str) -> String {
        let (ctx, none, vpc) = (waits(), Tags::new(), VpcId(vpc.to_owned()));
        let table = self
            .ec2
            .create_route_table(&ctx, &vpc, &none, IdempotencyKey::new(&none));
        self.runtime.block_on(table).unwrap().id.to_string()
    }

    /// Makes a virtual private gateway and attaches it; its id.
    pub fn make_vpn_gateway(&self, vpc: &str, asn: u32) -> String {
        let (ctx, none) = (waits(), Tags::new());
        self.runtime.block_on(async {
            let made = self
                .ec2
                .create_vpn_gateway(&ctx, Asn(asn), &none, IdempotencyKey::new(&none))
                .await
                .unwrap();
            self.ec2
                .wait_vpn_gateway_available(&ctx, &made.id)
                .await
                .unwrap();
            let vpc = VpcId(vpc.to_owned());
            self.ec2
                .attach_vpn_gateway(&ctx, &made.id, &vpc)
                .await
                .unwrap();
            self.ec2
                .wait_vpn_gateway_attached(&ctx, &made.id, &vpc)
                .await
                .unwrap();
            made.id.to_string()
        })
    }

    /// Makes a transit gateway, with options in EC2's words (`Options.AmazonSideAsn=64600`); its id
    /// once it is available.
    pub fn make_transit_gateway(&self, options: &str) -> String {
        let made = self.say_to_ec2(&format!(
            "Action=CreateTransitGateway&Version=2016-11-15&{options}"
        ));
        let (_, rest) = made.split_once("<transitGatewayId>").unwrap();
        let (id, _) = rest.split_once('<').unwrap();
        let available = |states: &str| states.contains("<state>available</state>");
        let ask =
            format!("Action=DescribeTransitGateways&Version=2016-11-15&TransitGatewayIds.1={id}");
        while !available(&self.say_to_ec2(&ask)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        id.to_owned()
    }

    /// A call that the product never makes. The sandbox wants to know who calls, and verifies no
    /// signature.
    fn say_to_ec2(&self, form: &str) -> String {
        let form_type = "application/x-www-form-urlencoded; charset=utf-8";
        self.say("ec2", form, &[("content-type", form_type)])
    }

    /// Raises a quota of the region.
    pub fn raise_quota(&self, service: &str, code: &str, to: u32) {
        let body =
            serde_json::json!({"ServiceCode": service, "QuotaCode": code, "DesiredValue": to});
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            (
                "x-amz-target",
                "ServiceQuotasV20190624.RequestServiceQuotaIncrease",
            ),
        ];
        let answer = self.say("servicequotas", &body.to_string(), &headers);
        assert!(answer.contains("APPROVED"), "{answer}");
    }

    fn say(&self, service: &str, body: &str, headers: &[(&str, &str)]) -> String {
        let scope = format!(
            "AKIAEXAMPLE/20260101/{}/{service}/aws4_request",
            self.ec2.region()
        );
        let caller =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let mut call = self.http.post(&self.ec2_url).body(body.to_owned());
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        let call = call
            .header("authorization", caller)
            .header("x-amz-date", "20260101T000000Z")
            .send();
        self.runtime
            .block_on(async { call.await.unwrap().text().await.unwrap() })
    }

    /// Changes options of every tunnel of a VPN connection.
    pub fn change_tunnels(&self, id: &str, options: &TunnelOptions) {
        let (ctx, vpn) = (waits(), self.vpn(id));
        self.runtime.block_on(async {
            for tunnel in &vpn.tunnels {
                self.ec2
                    .change_tunnel(&ctx, &vpn.id, tunnel.outside_ip, options)
                    .await
                    .unwrap();
            }
        });
    }

    /// Whether a route table gets the routes of a VPN gateway.
    pub fn propagates(&self, table: &str, gateway: &str) -> bool {
        let (filter, ctx) = (aws::Filter::id(RouteTableId(table.to_owned())), waits());
        let found = self
            .runtime
            .block_on(self.ec2.describe_route_tables(&ctx, &filter))
            .unwrap();
        found
            .iter()
            .any(|table| table.propagating.iter().any(|id| id.0 == gateway))
    }

    pub fn switch_propagation_on(&self, table: &str, gateway: &str) {
        let (table, gateway) = (
            RouteTableId(table.to_owned()),
            VpnGatewayId(gateway.to_owned()),
        );
        let ctx = waits();
        self.runtime.block_on(async {
            self.ec2
                .enable_propagation(&ctx, &table, &gateway)
                .await
                .unwrap();
            self.ec2
                .wait_propagation(&ctx, &table, &gateway, true)
                .await
                .unwrap();
        });
    }

    pub fn switch_propagation_off(&self, table: &str, gateway: &str) {
        let (table, gateway) = (
            RouteTableId(table.to_owned()),
            VpnGatewayId(gateway.to_owned()),
        );
        let ctx = waits();
        self.runtime
            .block_on(self.ec2.disable_propagation(&ctx, &table, &gateway))
            .unwrap();
    }

    pub fn delete_vpn_connection(&self, id: &str) {
        let (ctx, id) = (waits(), VpnConnectionId(id.to_owned()));
        self.runtime.block_on(async {
            self.ec2.delete_vpn_connection(&ctx, &id).await.unwrap();
            self.ec2
                .wait_vpn_connection_deleted(&ctx, &id)
                .await
                .unwrap();
        });
    }

    /// Deletes a VPN gateway without VPN connections.
    pub fn delete_vpn_gateway(&self, gateway: &str, vpc: &str) {
        let (ctx, id) = (waits(), VpnGatewayId(gateway.to_owned()));
        self.runtime.block_on(async {
            self.ec2
                .detach_vpn_gateway(&ctx, &id, &VpcId(vpc.to_owned()))
                .await
                .unwrap();
            self.ec2.wait_vpn_gateway_detached(&ctx, &id).await.unwrap();
            self.ec2.delete_vpn_gateway(&ctx, &id).await.unwrap();
        });
    }

    /// Deletes a subnet's route table, as the console does: the association first.
    pub fn delete_route_table(&self, table: &str) {
        let (ctx, id) = (waits(), RouteTableId(table.to_owned()));
        self.runtime.block_on(async {
            for table in self
                .ec2
                .describe_route_tables(&ctx, &Filter::id(&id))
                .await
                .unwrap()
            {
                for (_, association) in &table.subnets {
                    self.ec2
                        .disassociate_route_table(&ctx, association)
                        .await
                        .unwrap();
                }
            }
            self.ec2.delete_route_table(&ctx, &id).await.unwrap();
        });
    }
}
