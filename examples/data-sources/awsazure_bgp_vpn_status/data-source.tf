# In a check, so that a tunnel that is down is a warning and never stops a run.
check "link" {
  data "awsazure_bgp_vpn_status" "link" {
    azure_gateway_id = awsazure_bgp_vpn.link.azure.gateway_id
    aws_gateway_id   = awsazure_bgp_vpn.link.aws.vpn_gateway_id
  }

  assert {
    condition = data.awsazure_bgp_vpn_status.link.healthy
    error_message = join("\n", [
      for name, tunnel in data.awsazure_bgp_vpn_status.link.tunnels : "${name}: ${tunnel.diagnosis}" if tunnel.diagnosis != null
    ])
  }
}
