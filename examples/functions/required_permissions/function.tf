# The IAM policy of a link, before anything exists.
output "aws_policy" {
  value = provider::awsazure::required_permissions({
    name  = "prod"
    azure = { resource_group_name = "TestRG1", virtual_network_id = "/subscriptions/.../virtualNetworks/VNet1" }
    aws   = { vpc_id = "vpc-0123456789abcdef0" }
  }).apply.aws_policy
}
