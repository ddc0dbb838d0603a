# An existing VNet and an existing VPC. Everything between them is made by this one block.
resource "awsazure_bgp_vpn" "link" {
  name = "prod"

  azure = {
    resource_group_name = "TestRG1"
    virtual_network_id  = azurerm_virtual_network.vnet1.id
  }
  aws = {
    vpc_id = aws_vpc.vpc1.id
  }
}
