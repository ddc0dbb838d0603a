variable "application" {
  description = "Short name of the application that owns the link, such as `payments`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.application))
    error_message = "application must have 2 to 16 lower-case letters and digits, and start with a letter."
  }
}

variable "environment" {
  description = "`dev`, `test` or `prod`."
  type        = string

  validation {
    condition     = contains(["dev", "test", "prod"], var.environment)
    error_message = "environment must be dev, test or prod."
  }
}

variable "owner" {
  description = "Mail address of the team that is responsible. It becomes the tag `owner`."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.owner))
    error_message = "owner must be a mail address."
  }
}

variable "cost_center" {
  description = "Cost centre, four digits. It becomes the tag `cost-center`."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{4}$", var.cost_center))
    error_message = "cost_center must have four digits."
  }
}

variable "key_rotation" {
  description = "Quarter in which the pre-shared keys were last due, such as `2026-Q4`. Each new quarter rotates them, one tunnel at a time."
  type        = string

  validation {
    condition     = can(regex("^20[0-9]{2}-Q[1-4]$", var.key_rotation))
    error_message = "key_rotation must be a quarter, such as 2026-Q4."
  }
}

variable "azure" {
  description = "The Azure side: an existing virtual network (`virtual_network_id`) or one to create (`virtual_network`)."
  type = object({
    resource_group_name   = string
    create_resource_group = optional(bool, false)
    location              = optional(string)
    virtual_network_id    = optional(string)
    virtual_network = optional(object({
      address_space         = list(string)
      gateway_subnet_prefix = string
      subnets               = optional(map(string))
    }))
  })

  validation {
    condition     = (var.azure.virtual_network_id == null) != (var.azure.virtual_network == null)
    error_message = "Set exactly one of azure.virtual_network_id and azure.virtual_network."
  }
}

variable "aws" {
  description = "The AWS side: an existing VPC (`vpc_id`), one to create (`vpc`) or an existing transit gateway (`transit_gateway_id`)."
  type = object({
    region             = optional(string)
    vpc_id             = optional(string)
    transit_gateway_id = optional(string)
    vpc = optional(object({
      cidr_block               = string
      public_subnet_cidr_block = optional(string)
    }))
  })

  validation {
    condition     = length([for end in [var.aws.vpc_id, var.aws.transit_gateway_id, try(var.aws.vpc.cidr_block, null)] : end if end != null]) == 1
    error_message = "Set exactly one of aws.vpc_id, aws.vpc and aws.transit_gateway_id."
  }
}
