locals {
  # Slot 0 and no other, so that a further link never moves the gateway to another owner.
  creating = { for key, link in var.links : key => link if var.azure.create_gateway && link.slot == 0 }
  attached = { for key, link in var.links : key => link if !contains(keys(local.creating), key) }

  gateway_id = var.azure.create_gateway ? one([for link in awsazure_bgp_vpn.gateway : link.azure.gateway_id]) : var.azure.gateway_id
  links      = merge(awsazure_bgp_vpn.gateway, awsazure_bgp_vpn.attached)

  asn = { for key, link in var.links : key => link.transit_gateway_id != null ? null : coalesce(link.asn, 64512 + link.slot) }

  # Ranges of links that overlap with the new virtual network: equal in the bits that both have.
  overlaps = flatten([
    for key, link in var.links : [
      for pair in setproduct(flatten(var.azure.virtual_network[*].address_space), concat(link.cidr_blocks, link.vpc[*].cidr_block)) :
      "${pair[1]} of ${key} and ${pair[0]}" if(
        cidrsubnet("${split("/", pair[0])[0]}/${min([for cidr in pair : tonumber(split("/", cidr)[1])]...)}", 0, 0) ==
        cidrsubnet("${split("/", pair[1])[0]}/${min([for cidr in pair : tonumber(split("/", cidr)[1])]...)}", 0, 0)
      )
    ]
  ])
}

# The link with slot 0, if it creates the Azure gateway.
resource "awsazure_bgp_vpn" "gateway" {
  for_each = local.creating

  name = "${var.name}-${each.key}"
  slot = each.value.slot

  azure = {
    resource_group_name   = var.azure.resource_group_name
    create_resource_group = var.azure.create_resource_group
    location              = var.azure.location
    virtual_network_id    = var.azure.virtual_network_id
    virtual_network       = var.azure.virtual_network
    sku                   = var.azure.sku
    asn                   = var.azure.asn
    names                 = { gateway = "${var.name}-gateway" }
  }
  aws = {
    region             = each.value.region
    vpc_id             = each.value.vpc_id
    vpc                = each.value.vpc
    transit_gateway_id = each.value.transit_gateway_id
    asn                = local.asn[each.key]
    route_table_ids    = each.value.route_table_ids
  }

  ipsec_policy = { preset = var.ipsec_preset }
  rotate_keys  = var.rotate_keys
  tags         = var.tags

  lifecycle {
    precondition {
      condition     = length(local.overlaps) == 0
      error_message = "Address ranges overlap with the virtual network: ${join(", ", local.overlaps)}."
    }
  }
}

# Every other link. It uses the gateway and adds only its own BGP addresses to it.
resource "awsazure_bgp_vpn" "attached" {
  for_each = local.attached

  name = "${var.name}-${each.key}"
  slot = each.value.slot

  azure = {
    resource_group_name = var.azure.resource_group_name
    gateway_id          = local.gateway_id
  }
  aws = {
    region             = each.value.region
    vpc_id             = each.value.vpc_id
    vpc                = each.value.vpc
    transit_gateway_id = each.value.transit_gateway_id
    asn                = local.asn[each.key]
    route_table_ids    = each.value.route_table_ids
  }

  ipsec_policy = { preset = var.ipsec_preset }
  rotate_keys  = var.rotate_keys
  tags         = var.tags

  lifecycle {
    precondition {
      condition     = !var.azure.create_gateway || length(local.creating) == 1
      error_message = "No link has slot 0. It is the one that creates the Azure gateway. With an existing gateway, set azure.create_gateway = false."
    }
    precondition {
      condition     = length(local.overlaps) == 0
      error_message = "Address ranges overlap with the virtual network: ${join(", ", local.overlaps)}."
    }
  }
}
