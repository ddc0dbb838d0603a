# A complete link without existing objects: resource group, VNet, VPC, gateways, four tunnels.

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

resource "awsazure_bgp_vpn" "link" {
  name = "quickstart"

  azure = {
    resource_group_name   = "TestRG1"
    create_resource_group = true
    location              = "eastus"
    virtual_network = {
      name                  = "VNet1"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
      subnets               = { FrontEnd = "10.1.0.0/24" }
    }
  }
  aws = {
    vpc = {
      cidr_block               = "10.2.0.0/16"
      public_subnet_cidr_block = "10.2.1.0/24"
    }
  }
}

output "azure_gateway_id" {
  value = awsazure_bgp_vpn.link.azure.gateway_id
}

output "vpn_gateway_id" {
  value = awsazure_bgp_vpn.link.aws.vpn_gateway_id
}

output "tunnels" {
  value = awsazure_bgp_vpn.link.tunnels
}
