# Two accounts and two applications in one run of HCP Terraform: see docs/guides/hcp-terraform.md.
terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

# HCP Terraform sets this variable in a run with TFC_AWS_PROVIDER_AUTH_EAST and TFC_AWS_PROVIDER_AUTH_WEST.
variable "tfc_aws_dynamic_credentials" {
  type = object({
    default = optional(object({ shared_config_file = string }))
    aliases = map(object({ shared_config_file = string }))
  })
}

# And this one with TFC_AZURE_PROVIDER_AUTH_EAST and TFC_AZURE_PROVIDER_AUTH_WEST.
variable "tfc_azure_dynamic_credentials" {
  type = object({
    default = optional(object({ client_id_file_path = string, oidc_token_file_path = string }))
    aliases = map(object({ client_id_file_path = string, oidc_token_file_path = string }))
  })
}

provider "awsazure" {
  alias = "east"

  aws = {
    region              = "us-east-1"
    allowed_account_ids = ["111111111111"]
    shared_config_files = [var.tfc_aws_dynamic_credentials.aliases["EAST"].shared_config_file]
  }

  azure = {
    use_oidc             = true
    use_cli              = false
    client_id_file_path  = var.tfc_azure_dynamic_credentials.aliases["EAST"].client_id_file_path
    oidc_token_file_path = var.tfc_azure_dynamic_credentials.aliases["EAST"].oidc_token_file_path
  }
}

provider "awsazure" {
  alias = "west"

  aws = {
    region              = "us-west-2"
    allowed_account_ids = ["222222222222"]
    shared_config_files = [var.tfc_aws_dynamic_credentials.aliases["WEST"].shared_config_file]
  }

  azure = {
    use_oidc             = true
    use_cli              = false
    client_id_file_path  = var.tfc_azure_dynamic_credentials.aliases["WEST"].client_id_file_path
    oidc_token_file_path = var.tfc_azure_dynamic_credentials.aliases["WEST"].oidc_token_file_path
  }
}

resource "awsazure_bgp_vpn" "east" {
  provider = awsazure.east
  name     = "east"

  azure = {
    resource_group_name   = "vpn-east"
    create_resource_group = true
    location              = "eastus"
    virtual_network = {
      name                  = "vnet-east"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
  }
  aws = { vpc = { cidr_block = "10.2.0.0/16" } }
}

resource "awsazure_bgp_vpn" "west" {
  provider = awsazure.west
  name     = "west"

  azure = {
    resource_group_name   = "vpn-west"
    create_resource_group = true
    location              = "westus2"
    virtual_network = {
      name                  = "vnet-west"
      address_space         = ["10.3.0.0/16"]
      gateway_subnet_prefix = "10.3.255.0/27"
    }
  }
  aws = { vpc = { cidr_block = "10.4.0.0/16" } }
}
