locals {
  name = "${var.application}-${var.environment}"

  tags = {
    application = var.application
    environment = var.environment
    owner       = var.owner
    cost-center = var.cost_center
    managed-by  = "terraform"
  }

  # A virtual network of this module has the company's name too. Null without one.
  virtual_network = one([for network in var.azure.virtual_network[*] : merge(network, { name = "vnet-${local.name}" })])
}

resource "awsazure_bgp_vpn" "link" {
  name = local.name

  azure = {
    resource_group_name   = var.azure.resource_group_name
    create_resource_group = var.azure.create_resource_group
    location              = var.azure.location
    virtual_network_id    = var.azure.virtual_network_id
    virtual_network       = local.virtual_network
    names = {
      gateway             = "vgw-${local.name}"
      public_ip_instance0 = "pip-${local.name}-0"
      public_ip_instance1 = "pip-${local.name}-1"
    }
  }
  aws = {
    region             = var.aws.region
    vpc_id             = var.aws.vpc_id
    vpc                = var.aws.vpc
    transit_gateway_id = var.aws.transit_gateway_id
    names = {
      vpn_connection_instance0 = "vpn-${local.name}-0"
      vpn_connection_instance1 = "vpn-${local.name}-1"
    }
  }

  ipsec_policy = { preset = "strong" }
  rotate_keys  = var.key_rotation
  tags         = local.tags
}
