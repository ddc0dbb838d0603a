#!/bin/sh
# Azure's own command line: logs in, makes a group, a network, an address and a local network gateway, looks at everything that a
# link has, and deletes it all. First argument: `az`. AZURE_CONFIG_DIR must be a folder of its own.
set -eu
az() { command "$tool" "$@" --output none; }
tool=$1
url=https://$ARM_METADATA_HOSTNAME

az cloud register --name sandbox --endpoint-resource-manager "$url" --endpoint-active-directory "$url" \
  --endpoint-active-directory-resource-id "$url" --endpoint-active-directory-graph-resource-id "$url"
az cloud set --name sandbox
az login --service-principal --username "$ARM_CLIENT_ID" --password "$ARM_CLIENT_SECRET" --tenant "$ARM_TENANT_ID"
az account show

az group create --name CliRG --location eastus
az group show --name CliRG
az group list
on="--resource-group CliRG"
az network vnet create $on --name v --location eastus --address-prefixes 10.9.0.0/16
az network vnet subnet create $on --vnet-name v --name GatewaySubnet --address-prefixes 10.9.1.0/27
az network vnet show $on --name v
az network vnet list $on
az network public-ip create $on --name ip --location eastus --sku Standard --zone 1 2 3 --allocation-method Static
az network public-ip list $on
az network local-gateway create $on --name lg --location eastus --gateway-ip-address 52.0.0.1 --asn 64512 \
  --bgp-peering-address 169.254.21.1
az network local-gateway show $on --name lg
az network local-gateway list $on
az network vnet-gateway list $on
az network vpn-connection list $on
az resource list $on
az network local-gateway delete $on --name lg
az network public-ip delete $on --name ip
az group delete --name CliRG --yes
