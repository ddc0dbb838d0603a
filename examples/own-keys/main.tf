# Keys of your own, from wherever you keep them; this provider never writes them to plan or state. Needs Terraform 1.11.
#
#   export TF_VAR_preshared_keys='{"instance0_tunnel1": "...", "instance0_tunnel2": "...", "instance1_tunnel1": "...", "instance1_tunnel2": "..."}'

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

variable "preshared_keys" {
  type = object({
    instance0_tunnel1 = optional(string)
    instance0_tunnel2 = optional(string)
    instance1_tunnel1 = optional(string)
    instance1_tunnel2 = optional(string)
  })
  ephemeral   = true
  sensitive   = true
  description = "8 to 64 letters, digits, '.' and '_', not starting with 0. A key that is left out is generated."
}

resource "awsazure_bgp_vpn" "link" {
  name = "own-keys"

  azure = {
    resource_group_name   = "own-keys"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      name                  = "own-keys"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = {
    vpc = { cidr_block = "10.2.0.0/16" }
  }

  preshared_keys_wo         = var.preshared_keys
  preshared_keys_wo_version = 1 # count up to bring changed keys in
}
