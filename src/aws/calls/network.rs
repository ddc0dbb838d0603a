//! VPC, subnet and internet gateway, for links that bring their own network.

use super::{Filter, gone, newborn, tagged};
use crate::aws::attempt::Policy;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{InternetGateway, InternetGatewayId, Subnet, SubnetId, Vpc, VpcId};
use crate::aws::observe;
use crate::aws::patience::{Own, Waits};
use crate::primitives::Tags;
use aws_sdk_ec2::types::ResourceType;
use ipnet::Ipv4Net;

impl Ec2 {
    /// Makes a VPC; it is `Pending` at first.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_vpc(&self, waits: &Waits, cidr: Ipv4Net, tags: &Tags, own: Own<'_>) -> Result<Vpc, Error> {
        let spec = tagged(ResourceType::Vpc, tags);
        let send =
            || self.client().create_vpc().cidr_block(cidr.to_string()).set_tag_specifications(spec.clone()).send();
        let look = || async {
            let found = self.describe_vpcs(waits, &Filter::tags(own.tags)).await?;
            Ok(newborn(found, own, |vpc| &vpc.id.0))
        };
        let name = ("CreateVpc", format!("{cidr}"));
        self.create(waits, Policy::CREATE, (name.0, &name.1), send, |o| o.vpc().and_then(observe::vpc), look).await
    }

    /// # Errors
    /// `InUse` while anything is in it; see `Error`.
    pub async fn delete_vpc(&self, waits: &Waits, id: &VpcId) -> Result<(), Error> {
        let send = || self.client().delete_vpc().vpc_id(&id.0).send();
        gone(self.attempt(waits, Policy::DELETE, "DeleteVpc", &id.0, send).await)
    }

    /// Makes a subnet in a zone of AWS's choice; it is `Pending` at first.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_subnet(
        &self,
        waits: &Waits,
        vpc: &VpcId,
        cidr: Ipv4Net,
        tags: &Tags,
        own: Own<'_>,
    ) -> Result<Subnet, Error> {
        let spec = tagged(ResourceType::Subnet, tags);
        let send = || {
            let call = self.client().create_subnet().vpc_id(&vpc.0).cidr_block(cidr.to_string());
            call.set_tag_specifications(spec.clone()).send()
        };
        let look = || async {
            let filter = Filter { vpc: Some(vpc.clone()), ..Filter::tags(own.tags) };
            Ok(newborn(self.describe_subnets(waits, &filter).await?, own, |subnet| &subnet.id.0))
        };
        let name = ("CreateSubnet", format!("{cidr} in {vpc}"));
        let read = |o: &aws_sdk_ec2::operation::create_subnet::CreateSubnetOutput| o.subnet().and_then(observe::subnet);
        self.create(waits, Policy::CREATE, (name.0, &name.1), send, read, look).await
    }

    /// # Errors
    /// `InUse` while an interface is in it; see `Error`.
    pub async fn delete_subnet(&self, waits: &Waits, id: &SubnetId) -> Result<(), Error> {
        let send = || self.client().delete_subnet().subnet_id(&id.0).send();
        gone(self.attempt(waits, Policy::DELETE, "DeleteSubnet", &id.0, send).await)
    }

    /// Makes an internet gateway that hangs on nothing yet.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_internet_gateway(
        &self,
        waits: &Waits,
        tags: &Tags,
        own: Own<'_>,
    ) -> Result<InternetGateway, Error> {
        let spec = tagged(ResourceType::InternetGateway, tags);
        let send = || self.client().create_internet_gateway().set_tag_specifications(spec.clone()).send();
        let look = || async {
            let found = self.describe_internet_gateways(waits, &Filter::tags(own.tags)).await?;
            Ok(newborn(found, own, |gateway| &gateway.id.0))
        };
        let read = |o: &aws_sdk_ec2::operation::create_internet_gateway::CreateInternetGatewayOutput| {
            o.internet_gateway().and_then(observe::internet_gateway)
        };
        self.create(waits, Policy::CREATE, ("CreateInternetGateway", "a new one"), send, read, look).await
    }

    /// Attaches it; done already is done.
    ///
    /// # Errors
    /// `InUse` where it hangs on another VPC or the VPC has another one; see `Error`.
    pub async fn attach_internet_gateway(
        &self,
        waits: &Waits,
        id: &InternetGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || self.client().attach_internet_gateway().internet_gateway_id(&id.0).vpc_id(&vpc.0).send();
        match self.attempt(waits, Policy::CHANGE, "AttachInternetGateway", &id.0, send).await {
            Err(Error::InUse(taken)) => {
                let found = self.describe_internet_gateways(waits, &Filter::id(id)).await?;
                let done = found.iter().any(|gateway| gateway.attached_vpcs.contains(vpc));
                if done { Ok(()) } else { Err(Error::InUse(taken)) }
            }
            other => other.map(drop),
        }
    }

    /// Detaches it; done already is done.
    ///
    /// # Errors
    /// `InUse` while public addresses of the VPC are mapped; see `Error`.
    pub async fn detach_internet_gateway(
        &self,
        waits: &Waits,
        id: &InternetGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || self.client().detach_internet_gateway().internet_gateway_id(&id.0).vpc_id(&vpc.0).send();
        let policy = Policy { busy: std::time::Duration::ZERO, ..Policy::DELETE };
        match self.attempt(waits, policy, "DetachInternetGateway", &id.0, send).await {
            Err(Error::Busy(failure)) if failure.code == "Gateway.NotAttached" => Ok(()),
            other => gone(other),
        }
    }

    /// # Errors
    /// `InUse` while attached; see `Error`.
    pub async fn delete_internet_gateway(&self, waits: &Waits, id: &InternetGatewayId) -> Result<(), Error> {
        let send = || self.client().delete_internet_gateway().internet_gateway_id(&id.0).send();
        gone(self.attempt(waits, Policy::DELETE, "DeleteInternetGateway", &id.0, send).await)
    }
}
