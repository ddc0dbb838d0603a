# The four tunnels of any link, made by whomever, as both clouds see them now:
#
#   terraform apply -var azure_gateway_id=/subscriptions/... -var aws_gateway_id=vgw-...

terraform {
  required_providers {
    awsazure = {
      source = "awsazure/awsazure"
    }
  }
}

variable "azure_gateway_id" {
  type = string
}

variable "aws_gateway_id" {
  type = string
}

data "awsazure_bgp_vpn_status" "link" {
  azure_gateway_id = var.azure_gateway_id
  aws_gateway_id   = var.aws_gateway_id
}

output "healthy" {
  value = data.awsazure_bgp_vpn_status.link.healthy
}

output "tunnels_up" {
  value = data.awsazure_bgp_vpn_status.link.tunnels_up
}

output "report" {
  value = join("\n", concat(
    [format("%-18s %-18s %-5s %-16s %-13s %-10s %s", "tunnel", "inside", "AWS", "", "Azure", "BGP", "diagnosis")],
    [
      for name, tunnel in data.awsazure_bgp_vpn_status.link.tunnels : format(
        "%-18s %-18s %-5s %-16s %-13s %-10s %s", name, coalesce(tunnel.inside_cidr, "-"), tunnel.aws_status,
        coalesce(tunnel.aws_status_message, "-"), tunnel.azure_connection_status, tunnel.azure_bgp_state,
        coalesce(tunnel.diagnosis, "well")
      )
    ],
  ))
}
