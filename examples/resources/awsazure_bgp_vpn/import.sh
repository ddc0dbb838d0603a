# By the Azure gateway and the inside CIDR of instance0_tunnel1 (the resource's id):
terraform import awsazure_bgp_vpn.link '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/prod-gateway,169.254.21.0/30'

# By both gateways, where they carry one link:
terraform import awsazure_bgp_vpn.link '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/prod-gateway,vgw-0123456789abcdef0'

# In a region other than the provider's:
terraform import awsazure_bgp_vpn.link '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/prod-gateway,vgw-0123456789abcdef0@eu-west-1'
