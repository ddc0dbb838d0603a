output "id" {
  description = "ID of the link, which `terraform import` accepts."
  value       = awsazure_bgp_vpn.link.id
}

output "status" {
  description = "How the last run on the link ended: `complete`, `incomplete` or `interrupted`."
  value       = awsazure_bgp_vpn.link.status
}

output "azure_gateway_id" {
  description = "Resource ID of the Azure VPN gateway."
  value       = awsazure_bgp_vpn.link.azure.gateway_id
}

output "vpn_gateway_id" {
  description = "ID of the virtual private gateway. Null on a transit gateway."
  value       = awsazure_bgp_vpn.link.aws.vpn_gateway_id
}

output "tunnels" {
  description = "The four tunnels with their addresses and the IDs of their objects in both clouds."
  value       = awsazure_bgp_vpn.link.tunnels
}

output "tags" {
  description = "Tags that every object in both clouds has."
  value       = awsazure_bgp_vpn.link.tags
}
