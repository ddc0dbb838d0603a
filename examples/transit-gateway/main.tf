# A transit gateway in place of a VPN gateway and its VPC. It spreads traffic over all four tunnels, where a VPN gateway takes one.
# Routes in the VPCs towards it are theirs to set. Without route tables, the attachments use the default ones of the transit gateway.

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

variable "transit_gateway_id" {
  type = string
}

variable "association_route_table_id" {
  type    = string
  default = null
}

variable "propagation_route_table_ids" {
  type    = set(string)
  default = null
}

resource "awsazure_bgp_vpn" "link" {
  name = "link"

  azure = {
    resource_group_name   = "link"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      name                  = "link"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = {
    transit_gateway_id                          = var.transit_gateway_id
    transit_gateway_association_route_table_id  = var.association_route_table_id
    transit_gateway_propagation_route_table_ids = var.propagation_route_table_ids
  }
}

output "attachment_ids" {
  value = toset([for tunnel in awsazure_bgp_vpn.link.tunnels : tunnel.aws_transit_gateway_attachment_id])
}

output "vpn_connection_ids" {
  value = toset([for tunnel in awsazure_bgp_vpn.link.tunnels : tunnel.aws_vpn_connection_id])
}
