# Names, tags, policy and rotation, without any cloud: Terraform fills the computed attributes.

mock_provider "awsazure" {
  mock_resource "awsazure_bgp_vpn" {
    defaults = {
      id     = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/payments/providers/Microsoft.Network/virtualNetworkGateways/vgw-payments-prod,169.254.21.0/30"
      status = "complete"
      tunnels = {
        instance0_tunnel1 = { aws_bgp_ip = "169.254.21.1", azure_bgp_ip = "169.254.21.2", aws_outside_ip = "203.0.113.1" }
        instance1_tunnel2 = { aws_bgp_ip = "169.254.22.5", azure_bgp_ip = "169.254.22.6", aws_outside_ip = "203.0.113.4" }
      }
    }
  }
}

variables {
  application  = "payments"
  environment  = "prod"
  owner        = "network@example.com"
  cost_center  = "4711"
  key_rotation = "2026-Q4"
  azure = {
    resource_group_name = "payments"
    virtual_network_id  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/payments/providers/Microsoft.Network/virtualNetworks/payments"
  }
  aws = { vpc_id = "vpc-0123456789abcdef0" }
}

run "follows_the_standard" {
  assert {
    condition     = awsazure_bgp_vpn.link.name == "payments-prod" && awsazure_bgp_vpn.link.azure.names.gateway == "vgw-payments-prod"
    error_message = "The names do not follow the standard."
  }
  assert {
    condition     = awsazure_bgp_vpn.link.ipsec_policy.preset == "strong" && awsazure_bgp_vpn.link.rotate_keys == "2026-Q4"
    error_message = "Policy or rotation do not follow the standard."
  }
  assert {
    condition     = output.tags == tomap({ application = "payments", environment = "prod", owner = "network@example.com", cost-center = "4711", managed-by = "terraform" })
    error_message = "The tags do not follow the standard."
  }
  assert {
    condition     = output.tunnels["instance0_tunnel1"].aws_bgp_ip == "169.254.21.1" && output.tunnels.instance1_tunnel2.aws_outside_ip == "203.0.113.4"
    error_message = "The output tunnels does not hold the tunnels of the link."
  }
  assert {
    condition     = length(output.tunnels) == 4 && output.status == "complete"
    error_message = "A link has four tunnels."
  }
}

run "rejects_other_values" {
  command = plan

  variables {
    environment  = "production"
    owner        = "network"
    cost_center  = "47"
    key_rotation = "November"
    azure        = { resource_group_name = "payments" }
    aws          = { vpc_id = "vpc-0123456789abcdef0", transit_gateway_id = "tgw-0123456789abcdef0" }
  }

  expect_failures = [var.environment, var.owner, var.cost_center, var.key_rotation, var.azure, var.aws]
}
