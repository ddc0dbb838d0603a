# What the module makes of its inputs, without any cloud: Terraform fills the computed attributes.

mock_provider "awsazure" {
  mock_resource "awsazure_bgp_vpn" {
    defaults = {
      status = "complete"
      azure  = { gateway_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/virtualNetworkGateways/hub-gateway" }
      tunnels = {
        instance0_tunnel1 = {
          inside_cidr           = "169.254.21.0/30"
          aws_bgp_ip            = "169.254.21.1"
          azure_bgp_ip          = "169.254.21.2"
          aws_outside_ip        = "203.0.113.1"
          azure_public_ip       = "198.51.100.1"
          aws_vpn_connection_id = "vpn-0123456789abcdef0"
          azure_connection_id   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/connections/hub-to-aws"
        }
        instance0_tunnel2 = { azure_public_ip = "198.51.100.1" }
        instance1_tunnel1 = { azure_public_ip = "198.51.100.2" }
        instance1_tunnel2 = { azure_public_ip = "198.51.100.2" }
      }
    }
  }
}

variables {
  name = "hub"
  azure = {
    resource_group_name = "hub"
    virtual_network = {
      name                  = "hub"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  links = {
    payments = { slot = 0, region = "eu-west-1", vpc_id = "vpc-0123456789abcdef0", cidr_blocks = ["10.2.0.0/16"] }
    shop     = { slot = 1, region = "us-east-1", vpc = { cidr_block = "10.3.0.0/16" } }
    core     = { slot = 7, transit_gateway_id = "tgw-0123456789abcdef0", cidr_blocks = ["10.64.0.0/12"] }
  }
}

run "slot_0_creates_the_gateway" {
  assert {
    condition     = keys(awsazure_bgp_vpn.gateway) == ["payments"] && keys(awsazure_bgp_vpn.attached) == ["core", "shop"]
    error_message = "Another link than the one with slot 0 creates the gateway."
  }
  assert {
    condition     = alltrue([for link in awsazure_bgp_vpn.attached : link.azure.gateway_id == output.azure_gateway_id])
    error_message = "A link does not use the gateway of the first one."
  }
  assert {
    condition     = awsazure_bgp_vpn.attached["shop"].aws.asn == 64513 && awsazure_bgp_vpn.attached["shop"].slot == 1
    error_message = "The ASN does not follow from the slot."
  }
  assert {
    condition     = alltrue([for link in merge(awsazure_bgp_vpn.gateway, awsazure_bgp_vpn.attached) : link.ipsec_policy.preset == "strong"])
    error_message = "The policy is not strong."
  }
}

run "outputs_name_every_tunnel" {
  assert {
    condition     = keys(output.links) == ["core", "payments", "shop"] && alltrue([for link in output.firewall : length(link) == 4])
    error_message = "An output lacks a link or a tunnel."
  }
  assert {
    condition     = output.firewall["payments"]["instance0_tunnel1"].aws_outside_ip == "203.0.113.1" && output.firewall.payments.instance0_tunnel1.azure_bgp_ip == "169.254.21.2"
    error_message = "The output firewall does not hold the addresses of the tunnel."
  }
  assert {
    condition     = output.monitoring["shop"]["instance0_tunnel1"].aws_vpn_connection_id == "vpn-0123456789abcdef0" && output.monitoring.shop.instance0_tunnel1.azure_connection_name == "hub-to-aws"
    error_message = "The output monitoring does not hold the objects of the tunnel."
  }
  assert {
    condition     = output.azure_public_ips == tolist(["198.51.100.1", "198.51.100.2"]) && length(output.aws_outside_ips["core"]) == 4
    error_message = "The lists of addresses are not complete."
  }
}

run "existing_gateway_is_used_by_all" {
  variables {
    azure = {
      resource_group_name = "hub"
      create_gateway      = false
      gateway_id          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/virtualNetworkGateways/mine"
    }
  }

  assert {
    condition     = length(awsazure_bgp_vpn.gateway) == 0 && length(awsazure_bgp_vpn.attached) == 3 && endswith(output.azure_gateway_id, "/mine")
    error_message = "A link creates a gateway although one is given."
  }
}

run "same_slot_is_rejected" {
  command = plan
  variables {
    links = {
      one = { slot = 0, vpc_id = "vpc-0123456789abcdef0" }
      two = { slot = 0, vpc_id = "vpc-0123456789abcdef1" }
    }
  }
  expect_failures = [var.links]
}

run "slot_out_of_range_is_rejected" {
  command = plan
  variables {
    links = {
      one = { slot = 0, vpc_id = "vpc-0123456789abcdef0" }
      two = { slot = 32, vpc_id = "vpc-0123456789abcdef1" }
    }
  }
  expect_failures = [var.links]
}

run "two_ends_are_rejected" {
  command = plan
  variables {
    links = { one = { slot = 0, vpc_id = "vpc-0123456789abcdef0", transit_gateway_id = "tgw-0123456789abcdef0" } }
  }
  expect_failures = [var.links]
}

run "no_end_is_rejected" {
  command = plan
  variables {
    links = { one = { slot = 0 } }
  }
  expect_failures = [var.links]
}

run "overlapping_links_are_rejected" {
  command = plan
  variables {
    links = {
      one = { slot = 0, vpc = { cidr_block = "10.2.0.0/16" } }
      two = { slot = 1, vpc_id = "vpc-0123456789abcdef1", cidr_blocks = ["10.2.128.0/17"] }
    }
  }
  expect_failures = [var.links]
}

run "host_bits_are_rejected" {
  command = plan
  variables {
    links = { one = { slot = 0, vpc = { cidr_block = "10.2.0.1/16" } } }
  }
  expect_failures = [var.links]
}

run "asn_of_a_transit_gateway_is_rejected" {
  command = plan
  variables {
    links = { one = { slot = 0, transit_gateway_id = "tgw-0123456789abcdef0", asn = 64600 } }
  }
  expect_failures = [var.links]
}

run "overlap_with_the_virtual_network_is_rejected" {
  command = plan
  variables {
    links = { one = { slot = 0, vpc_id = "vpc-0123456789abcdef0", cidr_blocks = ["10.0.0.0/8"] } }
  }
  expect_failures = [awsazure_bgp_vpn.gateway]
}

run "missing_slot_0_is_rejected" {
  command = plan
  variables {
    links = { one = { slot = 1, vpc_id = "vpc-0123456789abcdef0" } }
  }
  expect_failures = [awsazure_bgp_vpn.attached]
}

run "gateway_and_network_are_rejected" {
  command = plan
  variables {
    azure = {
      resource_group_name = "hub"
      gateway_id          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/virtualNetworkGateways/mine"
      virtual_network_id  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
    }
  }
  expect_failures = [var.azure]
}
