terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

# This provider finds the same settings in the environment as the aws and azurerm providers (AWS_*, ARM_*, shared files, `az login`).
# What is to be said here has the same names as there.
provider "awsazure" {
  aws = {
    region = "eu-west-1"
    assume_role = [
      { role_arn = "arn:aws:iam::123456789012:role/network" },
    ]
  }

  azure = {
    subscription_id = "00000000-0000-0000-0000-000000000000"
    use_oidc        = true
  }

  default_tags = {
    team = "network"
  }
}
