//! Configurations that differ from one another by a line.

use std::collections::BTreeMap;
use std::fmt;

/// A resource block of one link. Attributes are set by path, such as `azure.sku`, to expressions in
/// HCL.
#[derive(Clone, Debug)]
pub struct Link {
    label: String,
    attributes: BTreeMap<String, String>,
}

impl Link {
    /// The quickstart's link: both networks are made with it.
    pub fn complete(label: &str) -> Self {
        Link { label: label.to_owned(), attributes: BTreeMap::new() }
            .with("name", &format!("{label:?}"))
            .with("azure.resource_group_name", &format!("{label:?}"))
            .with("azure.create_resource_group", "true")
            .with("azure.location", "\"eastus\"")
            .with(
                "azure.virtual_network",
                "{ name = \"VNet1\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = \"10.1.255.0/27\", subnets = { FrontEnd = \"10.1.0.0/24\" } }",
            )
            .with("aws.vpc", "{ cidr_block = \"10.2.0.0/16\", public_subnet_cidr_block = \"10.2.1.0/24\" }")
    }

    /// A link between networks that are there.
    pub fn between(label: &str, group: &str, network: &str, vpc: &str) -> Self {
        Link {
            label: label.to_owned(),
            attributes: BTreeMap::new(),
        }
        .with("name", &format!("{label:?}"))
        .with("azure.resource_group_name", &format!("{group:?}"))
        .with("azure.virtual_network_id", &format!("{network:?}"))
        .with("aws.vpc_id", &format!("{vpc:?}"))
    }

    #[must_use]
    pub fn with(mut self, path: &str, value: &str) -> Self {
        self.attributes.insert(path.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        assert!(self.attributes.remove(path).is_some(), "{path} is not set");
        self
    }

    /// Address in Terraform.
    pub fn address(&self) -> String {
        format!("awsazure_bgp_vpn.{}", self.label)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "resource \"awsazure_bgp_vpn\" {:?} {{", self.label)?;
        for (path, value) in self
            .attributes
            .iter()
            .filter(|(path, _)| !path.contains('.'))
        {
            writeln!(f, "  {path} = {value}")?;
        }
        for cloud in ["azure", "aws"] {
            writeln!(f, "  {cloud} = {{")?;
            for (path, value) in &self.attributes {
                if let Some(name) = path
                    .strip_prefix(cloud)
                    .and_then(|rest| rest.strip_prefix('.'))
                {
                    writeln!(f, "    {name} = {value}")?;
                }
            }
            writeln!(f, "  }}")?;
        }
        writeln!(f, "}}")
    }
}
