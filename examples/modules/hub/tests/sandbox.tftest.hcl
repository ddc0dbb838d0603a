# Two links on one gateway in both simulated clouds, then a third one:
#
#   awsazure-sandbox run -- terraform test -filter=tests/sandbox.tftest.hcl

variables {
  name = "hub"
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
  links = {
    payments = { slot = 0, region = "eu-west-1", vpc = { cidr_block = "10.2.0.0/16" } }
    shop     = { slot = 1, region = "us-east-1", vpc = { cidr_block = "10.3.0.0/16" } }
  }
}

run "creates_two_links" {
  assert {
    condition     = alltrue([for link in output.links : link.status == "complete"]) && endswith(output.azure_gateway_id, "/hub-gateway")
    error_message = "A link is not complete, or the gateway has another name."
  }
  assert {
    condition     = output.firewall["shop"]["instance0_tunnel1"].aws_bgp_ip == "169.254.21.9" && output.firewall["payments"]["instance0_tunnel1"].aws_bgp_ip == "169.254.21.1"
    error_message = "The inside addresses do not follow from the slots."
  }
  assert {
    condition     = length(output.azure_public_ips) == 2 && length(distinct(flatten(values(output.aws_outside_ips)))) == 8
    error_message = "Two links on one gateway have two public addresses at Azure and eight at AWS."
  }
  assert {
    condition     = alltrue([for tunnel in output.monitoring["shop"] : startswith(tunnel.aws_vpn_connection_id, "vpn-") && tunnel.aws_region == "us-east-1"])
    error_message = "The output monitoring does not name the VPN connections."
  }
}

run "a_third_link_changes_no_other" {
  variables {
    links = {
      payments = { slot = 0, region = "eu-west-1", vpc = { cidr_block = "10.2.0.0/16" } }
      shop     = { slot = 1, region = "us-east-1", vpc = { cidr_block = "10.3.0.0/16" } }
      archive  = { slot = 2, region = "us-east-1", vpc = { cidr_block = "10.4.0.0/16" } }
    }
  }

  assert {
    condition     = output.monitoring["payments"] == run.creates_two_links.monitoring["payments"] && output.monitoring["shop"] == run.creates_two_links.monitoring["shop"]
    error_message = "A third link changed another one."
  }
  assert {
    condition     = output.azure_gateway_id == run.creates_two_links.azure_gateway_id && output.links["archive"].status == "complete"
    error_message = "The third link is not complete on the same gateway."
  }
}
