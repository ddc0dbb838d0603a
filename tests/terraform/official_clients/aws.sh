#!/bin/sh
# AWS's own command line: looks at everything that a link has, then makes and deletes something small. First argument: `aws`.
set -eu
aws() { command "$tool" ec2 "$@" --output text; }
tool=$1

"$tool" sts get-caller-identity --output text
for what in vpcs subnets route-tables vpn-gateways customer-gateways vpn-connections internet-gateways tags availability-zones \
  regions transit-gateways; do
  aws "describe-$what"
done

vpc=$(aws create-vpc --cidr-block 10.77.0.0/16 --query Vpc.VpcId)
aws wait vpc-available --vpc-ids "$vpc"
aws create-tags --resources "$vpc" --tags Key=Name,Value=cli
test "$(aws describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[0].Tags[0].Value')" = cli
customer=$(aws create-customer-gateway --type ipsec.1 --bgp-asn 65000 --public-ip 20.0.0.77 --query CustomerGateway.CustomerGatewayId \
  --tag-specifications 'ResourceType=customer-gateway,Tags=[{Key=Name,Value=cli}]')
aws wait customer-gateway-available --customer-gateway-ids "$customer"
aws delete-customer-gateway --customer-gateway-id "$customer"
aws delete-vpc --vpc-id "$vpc"
