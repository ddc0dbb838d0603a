# A complete link in both simulated clouds, and a rotation of its keys:
#
#   awsazure-sandbox run -- terraform test -filter=tests/sandbox.tftest.hcl

variables {
  application  = "payments"
  environment  = "test"
  owner        = "network@example.com"
  cost_center  = "4711"
  key_rotation = "2026-Q3"
  azure = {
    resource_group_name   = "payments"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = { vpc = { cidr_block = "10.2.0.0/16" } }
}

run "creates_the_link" {
  assert {
    condition     = output.status == "complete" && endswith(output.azure_gateway_id, "/vgw-payments-test")
    error_message = "The link is not complete, or its gateway has another name."
  }
  assert {
    condition     = output.tunnels["instance1_tunnel2"].aws_bgp_ip == "169.254.22.5" && startswith(output.tunnels.instance0_tunnel1.aws_vpn_connection_id, "vpn-")
    error_message = "The tunnels do not have the addresses of slot 0."
  }
}

run "rotates_the_keys_in_place" {
  variables {
    key_rotation = "2026-Q4"
  }

  assert {
    condition     = output.tunnels == run.creates_the_link.tunnels && output.status == "complete"
    error_message = "A rotation replaced an object."
  }
}
