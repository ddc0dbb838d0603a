//! VPC, subnet and internet gateway, for links that bring their own network.

use super::{Filter, IdempotencyKey, find_new, tag_specification};
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::from_sdk;
use crate::aws::model::{InternetGateway, InternetGatewayId, Subnet, SubnetId, Vpc, VpcId};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types::ResourceType;
use bgp_vpn::types::Tags;
use ipnet::Ipv4Net;

impl Ec2 {
    /// Makes a VPC; it is `Pending` at first.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_vpc(
        &self,
        ctx: &CallContext,
        cidr: Ipv4Net,
        tags: &Tags,
        own: IdempotencyKey<'_>,
    ) -> Result<Vpc, Error> {
        let spec = tag_specification(ResourceType::Vpc, tags);
        let send = || {
            self.client()
                .create_vpc()
                .cidr_block(cidr.to_string())
                .set_tag_specifications(spec.clone())
                .send()
        };
        let look = || async {
            let found = self.describe_vpcs(ctx, &Filter::tags(own.tags)).await?;
            Ok(find_new(found, own, |vpc| &vpc.id.0))
        };
        let target = cidr.to_string();
        self.create_once(
            ctx,
            RetryPolicy::CREATE,
            ("CreateVpc", &target),
            send,
            |o| o.vpc().and_then(from_sdk::vpc),
            look,
        )
        .await
    }

    /// # Errors
    /// `DependencyViolation` while anything is in it; see `Error`.
    pub async fn delete_vpc(&self, ctx: &CallContext, id: &VpcId) -> Result<(), Error> {
        let send = || self.client().delete_vpc().vpc_id(&id.0).send();
        self.delete(ctx, "DeleteVpc", &id.0, send).await
    }

    /// Makes a subnet in a zone of AWS's choice; it is `Pending` at first.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_subnet(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
        cidr: Ipv4Net,
        tags: &Tags,
        own: IdempotencyKey<'_>,
    ) -> Result<Subnet, Error> {
        let spec = tag_specification(ResourceType::Subnet, tags);
        let send = || {
            let call = self
                .client()
                .create_subnet()
                .vpc_id(&vpc.0)
                .cidr_block(cidr.to_string());
            call.set_tag_specifications(spec.clone()).send()
        };
        let look = || async {
            let filter = Filter::tags(own.tags).in_vpc(vpc);
            Ok(find_new(
                self.describe_subnets(ctx, &filter).await?,
                own,
                |subnet| &subnet.id.0,
            ))
        };
        let target = format!("{cidr} in {vpc}");
        let read = |o: &aws_sdk_ec2::operation::create_subnet::CreateSubnetOutput| {
            o.subnet().and_then(from_sdk::subnet)
        };
        self.create_once(
            ctx,
            RetryPolicy::CREATE,
            ("CreateSubnet", &target),
            send,
            read,
            look,
        )
        .await
    }

    /// # Errors
    /// `DependencyViolation` while an interface is in it; see `Error`.
    pub async fn delete_subnet(&self, ctx: &CallContext, id: &SubnetId) -> Result<(), Error> {
        let send = || self.client().delete_subnet().subnet_id(&id.0).send();
        self.delete(ctx, "DeleteSubnet", &id.0, send).await
    }

    /// Creates an internet gateway that is not attached yet.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_internet_gateway(
        &self,
        ctx: &CallContext,
        tags: &Tags,
        own: IdempotencyKey<'_>,
    ) -> Result<InternetGateway, Error> {
        let spec = tag_specification(ResourceType::InternetGateway, tags);
        let send = || {
            self.client()
                .create_internet_gateway()
                .set_tag_specifications(spec.clone())
                .send()
        };
        let look = || async {
            let found = self
                .describe_internet_gateways(ctx, &Filter::tags(own.tags))
                .await?;
            Ok(find_new(found, own, |gateway| &gateway.id.0))
        };
        let read =
            |o: &aws_sdk_ec2::operation::create_internet_gateway::CreateInternetGatewayOutput| {
                o.internet_gateway().and_then(from_sdk::internet_gateway)
            };
        self.create_once(
            ctx,
            RetryPolicy::CREATE,
            ("CreateInternetGateway", "a new one"),
            send,
            read,
            look,
        )
        .await
    }

    /// Attaches it; done already is done.
    ///
    /// # Errors
    /// `DependencyViolation` if it is attached to another VPC or the VPC has another one; see `Error`.
    pub async fn attach_internet_gateway(
        &self,
        ctx: &CallContext,
        id: &InternetGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .attach_internet_gateway()
                .internet_gateway_id(&id.0)
                .vpc_id(&vpc.0)
                .send()
        };
        match self
            .with_retry(
                ctx,
                RetryPolicy::CHANGE,
                "AttachInternetGateway",
                &id.0,
                send,
            )
            .await
        {
            Err(Error::DependencyViolation(taken)) => {
                let found = self
                    .describe_internet_gateways(ctx, &Filter::id(id))
                    .await?;
                let done = found
                    .iter()
                    .any(|gateway| gateway.attached_vpcs.contains(vpc));
                if done {
                    Ok(())
                } else {
                    Err(Error::DependencyViolation(taken))
                }
            }
            other => other.map(drop),
        }
    }

    /// Detaches it; done already is done.
    ///
    /// # Errors
    /// `DependencyViolation` while public addresses of the VPC are mapped; see `Error`.
    pub async fn detach_internet_gateway(
        &self,
        ctx: &CallContext,
        id: &InternetGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .detach_internet_gateway()
                .internet_gateway_id(&id.0)
                .vpc_id(&vpc.0)
                .send()
        };
        self.detach(ctx, "DetachInternetGateway", &id.0, send).await
    }

    /// # Errors
    /// `DependencyViolation` while attached; see `Error`.
    pub async fn delete_internet_gateway(
        &self,
        ctx: &CallContext,
        id: &InternetGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_internet_gateway()
                .internet_gateway_id(&id.0)
                .send()
        };
        self.delete(ctx, "DeleteInternetGateway", &id.0, send).await
    }
}
