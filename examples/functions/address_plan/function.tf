# BGP addresses of both ends of all four tunnels of slot 1, before anything exists.
output "bgp_sessions" {
  value = {
    for name, tunnel in provider::awsazure::address_plan(1) : name => "${tunnel.aws_bgp_ip} - ${tunnel.azure_bgp_ip}"
  }
}
