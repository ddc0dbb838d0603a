import {
  to = awsazure_bgp_vpn.link
  identity = {
    azure_gateway_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/prod-gateway"
    inside_cidr      = "169.254.21.0/30"
  }
}
