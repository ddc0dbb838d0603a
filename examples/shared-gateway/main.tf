# One Azure gateway, two VPCs in two regions. The second link takes another slot, so no address is used twice, and only its own
# addresses are added to the gateway. Destroying either link leaves the other alone.

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

resource "awsazure_bgp_vpn" "first" {
  name = "first"

  azure = {
    resource_group_name   = "hub"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      name                  = "hub"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = {
    region = "eu-west-1"
    vpc    = { cidr_block = "10.2.0.0/16" }
  }
}

resource "awsazure_bgp_vpn" "second" {
  name = "second"
  slot = 1

  azure = {
    resource_group_name = awsazure_bgp_vpn.first.azure.resource_group_name
    gateway_id          = awsazure_bgp_vpn.first.azure.gateway_id
  }
  aws = {
    region = "us-east-1"
    asn    = 64513
    vpc    = { cidr_block = "10.3.0.0/16" }
  }
}
