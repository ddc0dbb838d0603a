variable "name" {
  description = "Prefix of all names. The objects of a link are named after it and the key of the link, such as `hub-payments`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$", var.name))
    error_message = "name must have 1 to 30 letters, digits, '.', '_' and '-', and start with a letter or digit."
  }
}

variable "azure" {
  description = <<-EOT
    The Azure side. With `create_gateway = true` the link with slot 0 creates the gateway, in an existing virtual network
    (`virtual_network_id`) or in a new one (`virtual_network`). With `create_gateway = false` all links use the gateway `gateway_id`.
    `create_gateway` must be known at plan; `gateway_id` and `virtual_network_id` need not be.
  EOT

  type = object({
    resource_group_name   = string
    create_resource_group = optional(bool, false)
    location              = optional(string)
    create_gateway        = optional(bool, true)
    gateway_id            = optional(string)
    virtual_network_id    = optional(string)
    virtual_network = optional(object({
      name                  = string
      address_space         = list(string)
      gateway_subnet_prefix = string
      subnets               = optional(map(string))
    }))
    sku = optional(string)
    asn = optional(number)
  })

  validation {
    condition = var.azure.create_gateway ? (
      var.azure.gateway_id == null && (var.azure.virtual_network_id == null) != (var.azure.virtual_network == null)
      ) : (
      var.azure.gateway_id != null && var.azure.virtual_network_id == null && var.azure.virtual_network == null
    )
    error_message = "Set exactly one of virtual_network_id and virtual_network. With create_gateway = false, set only gateway_id."
  }

  validation {
    condition = alltrue([
      for cidr in flatten(var.azure.virtual_network[*].address_space) : can(cidrnetmask(cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)
    ])
    error_message = "Each element of virtual_network.address_space must be an IPv4 network without host bits, such as 10.1.0.0/16."
  }
}

variable "links" {
  description = <<-EOT
    The links, by a key of your choice. Each connects one of `vpc_id` (an existing VPC), `vpc` (a VPC to create) or `transit_gateway_id`.

    - `slot` (0 to 31) selects the inside addresses. Never change the slot of an existing link: this interrupts its tunnels, and slot 0
      owns the gateway if the module creates it.
    - `cidr_blocks` lists the address ranges behind `vpc_id` or `transit_gateway_id`, so that overlaps are found at plan.
    - `asn` is that of the virtual private gateway. It defaults to 64512 plus the slot, so that no two links have the same one. A transit
      gateway has its own.
  EOT

  type = map(object({
    slot               = number
    region             = optional(string)
    vpc_id             = optional(string)
    transit_gateway_id = optional(string)
    vpc = optional(object({
      cidr_block               = string
      public_subnet_cidr_block = optional(string)
    }))
    cidr_blocks     = optional(list(string), [])
    asn             = optional(number)
    route_table_ids = optional(set(string))
  }))

  validation {
    condition     = length(var.links) > 0 && alltrue([for key in keys(var.links) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$", key))])
    error_message = "At least one link is required. A key has 1 to 24 letters, digits, '_' and '-', and starts with a letter or digit."
  }

  validation {
    condition     = alltrue([for link in var.links : link.slot >= 0 && link.slot <= 31 && floor(link.slot) == link.slot])
    error_message = "slot must be a whole number from 0 to 31."
  }

  validation {
    condition     = length(distinct([for link in var.links : link.slot])) == length(var.links)
    error_message = "Two links have the same slot. Links on one Azure gateway need different slots."
  }

  validation {
    condition = alltrue([
      for link in var.links : length([for end in [link.vpc_id, link.transit_gateway_id, try(link.vpc.cidr_block, null)] : end if end != null]) == 1
    ])
    error_message = "Each link needs exactly one of vpc_id, vpc and transit_gateway_id."
  }

  validation {
    condition     = alltrue([for link in var.links : link.transit_gateway_id == null || (link.asn == null && link.route_table_ids == null)])
    error_message = "asn and route_table_ids do not apply to a link with transit_gateway_id."
  }

  validation {
    condition = alltrue([
      for cidr in flatten([for link in var.links : concat(link.cidr_blocks, link.vpc[*].cidr_block)]) :
      can(cidrnetmask(cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)
    ])
    error_message = "Each element of cidr_blocks, and vpc.cidr_block, must be an IPv4 network without host bits, such as 10.2.0.0/16."
  }

  # Two networks overlap if they are equal in the bits that both have.
  validation {
    condition = alltrue(flatten([
      for one in var.links : [
        for other in var.links : [
          for pair in setproduct(concat(one.cidr_blocks, one.vpc[*].cidr_block), concat(other.cidr_blocks, other.vpc[*].cidr_block)) : try(
            cidrsubnet("${split("/", pair[0])[0]}/${min([for cidr in pair : tonumber(split("/", cidr)[1])]...)}", 0, 0) !=
            cidrsubnet("${split("/", pair[1])[0]}/${min([for cidr in pair : tonumber(split("/", cidr)[1])]...)}", 0, 0),
            true
          )
        ] if one.slot < other.slot
      ]
    ]))
    error_message = "The address ranges of two links overlap. Azure could reach only one of them."
  }
}

variable "ipsec_preset" {
  description = "IPsec policy of all links: `strong`, `compatible` or `cloud_default`."
  type        = string
  default     = "strong"
  nullable    = false

  validation {
    condition     = contains(["strong", "compatible", "cloud_default"], var.ipsec_preset)
    error_message = "ipsec_preset must be strong, compatible or cloud_default."
  }
}

variable "rotate_keys" {
  description = "Any text, such as a date. Changing it rotates the pre-shared keys of all links, one tunnel of each link at a time."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every object in both clouds."
  type        = map(string)
  default     = {}
}
