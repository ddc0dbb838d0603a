output "azure_gateway_id" {
  description = "Resource ID of the Azure VPN gateway that all links share."
  value       = local.gateway_id
}

output "links" {
  description = "Each link: its ID for `terraform import`, its status and its AWS gateway."
  value = {
    for key, link in local.links : key => {
      id                 = link.id
      status             = link.status
      vpn_gateway_id     = link.aws.vpn_gateway_id
      transit_gateway_id = link.aws.transit_gateway_id
    }
  }
}

output "firewall" {
  description = <<-EOT
    What firewalls must let through, by link and tunnel: IKE and IPsec between `azure_public_ip` and `aws_outside_ip` (UDP 500 and 4500,
    ESP), and inside the tunnel BGP (TCP 179) between `azure_bgp_ip` and `aws_bgp_ip`.
  EOT
  value = {
    for key, link in local.links : key => {
      for name, tunnel in link.tunnels : name => {
        azure_public_ip = tunnel.azure_public_ip
        aws_outside_ip  = tunnel.aws_outside_ip
        inside_cidr     = tunnel.inside_cidr
        azure_bgp_ip    = tunnel.azure_bgp_ip
        aws_bgp_ip      = tunnel.aws_bgp_ip
      }
    }
  }
}

output "azure_public_ips" {
  description = "Public addresses of the Azure gateway, sorted."
  value       = sort(distinct(flatten([for link in local.links : [for tunnel in link.tunnels : tunnel.azure_public_ip]])))
}

output "aws_outside_ips" {
  description = "Public addresses of the AWS ends by link: four each, in the order of the tunnels."
  value       = { for key, link in local.links : key => [for tunnel in link.tunnels : tunnel.aws_outside_ip] }
}

output "monitoring" {
  description = "What alarms name, by link and tunnel: the VPN connection and its tunnel address at AWS; the connection and the BGP peer at Azure."
  value = {
    for key, link in local.links : key => {
      for name, tunnel in link.tunnels : name => {
        aws_region            = link.aws.region
        aws_vpn_connection_id = tunnel.aws_vpn_connection_id
        aws_outside_ip        = tunnel.aws_outside_ip
        azure_connection_id   = tunnel.azure_connection_id
        azure_connection_name = reverse(split("/", tunnel.azure_connection_id))[0]
        azure_bgp_peer        = tunnel.aws_bgp_ip
      }
    }
  }
}
