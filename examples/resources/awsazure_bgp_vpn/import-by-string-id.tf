import {
  to = awsazure_bgp_vpn.link
  id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/prod-gateway,169.254.21.0/30"
}
