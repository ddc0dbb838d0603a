# Tunnel health at every plan and apply, as a warning that says what is wrong with which tunnel.

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

resource "awsazure_bgp_vpn" "link" {
  name = "health-check"

  azure = {
    resource_group_name   = "health-check"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      name                  = "health-check"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = {
    vpc = { cidr_block = "10.2.0.0/16" }
  }
}

check "link" {
  data "awsazure_bgp_vpn_status" "link" {
    azure_gateway_id = awsazure_bgp_vpn.link.azure.gateway_id
    aws_gateway_id   = awsazure_bgp_vpn.link.aws.vpn_gateway_id
  }

  assert {
    condition = data.awsazure_bgp_vpn_status.link.healthy
    error_message = join("\n", [
      for name, tunnel in data.awsazure_bgp_vpn_status.link.tunnels : "${name}: ${tunnel.diagnosis}" if tunnel.diagnosis != null
    ])
  }
}
