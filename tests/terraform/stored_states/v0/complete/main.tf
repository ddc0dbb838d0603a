terraform {
  required_providers {
    awsazure = { source = "awsazure/awsazure" }
  }
}

resource "awsazure_bgp_vpn" "link" {
  name = "link"
  azure = {
    create_resource_group = true
    location              = "eastus"
    resource_group_name   = "link"
    virtual_network       = { name = "VNet1", address_space = ["10.1.0.0/16"], gateway_subnet_prefix = "10.1.255.0/27", subnets = { FrontEnd = "10.1.0.0/24" } }
  }
  aws = {
    vpc = { cidr_block = "10.2.0.0/16", public_subnet_cidr_block = "10.2.1.0/24" }
  }
}
