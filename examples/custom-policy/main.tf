# A policy of your own: fields override the preset, in AWS's spelling, and are compiled for both clouds. And what else AWS offers
# for its tunnels.

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

resource "awsazure_bgp_vpn" "link" {
  name = "custom-policy"

  azure = {
    resource_group_name   = "custom-policy"
    create_resource_group = true
    location              = "westeurope"
    virtual_network = {
      name                  = "custom-policy"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
    }
    asn = 65010
  }
  aws = {
    region = "eu-west-1"
    vpc    = { cidr_block = "10.2.0.0/16" }
    asn    = 64600

    # Keys that no answer of EC2 shows, and logs of IKE, IPsec and BGP.
    preshared_key_storage = "SecretsManager"
    logs = {
      log_group_arn     = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn"
      bgp_log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn"
      format            = "text"
    }
  }

  ipsec_policy = {
    preset                 = "compatible"
    dh_group               = 19
    pfs_group              = 19
    ipsec_lifetime_seconds = 1800
  }

  tags = {
    cost-center = "network"
  }
}
