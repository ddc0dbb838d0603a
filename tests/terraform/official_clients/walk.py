"""The tutorial, Parts 1 to 4, walked by hand through the clouds' own SDKs against the sandbox, and taken down again.

Environment: what the sandbox's `env` file exports. Ends with 0 and prints one line a step; any surprise is an exception.
"""

import os
import sys
import time

import boto3
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

HOST = os.environ["ARM_METADATA_HOSTNAME"]
SUBSCRIPTION = os.environ["ARM_SUBSCRIPTION_ID"]
GROUP, PLACE = "TestRG1", "eastus"
KEEP = "--keep" in sys.argv
# Waiters and pollers as they come, where the link is taken down again; boto3's ask every 15 real seconds.
WAIT = {"WaiterConfig": {"Delay": 1, "MaxAttempts": 120}} if KEEP else {}


def step(words):
    print(f"{time.monotonic() - BEGUN:6.1f} s  {words}", flush=True)


def azure(kind, secret=os.environ["ARM_CLIENT_SECRET"]):
    credential = ClientSecretCredential(
        os.environ["ARM_TENANT_ID"], os.environ["ARM_CLIENT_ID"], secret,
        authority=f"https://{HOST}", disable_instance_discovery=True,
    )
    return kind(
        credential, SUBSCRIPTION, base_url=f"https://{HOST}",
        credential_scopes=["https://management.azure.com/.default"],
    )


def network_id(kind, name):
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/{kind}/{name}"


def refused(error, call, code):
    """The call must fail with exactly that typed error and code."""
    try:
        call()
    except error as found:
        seen = found.response["Error"]["Code"] if isinstance(found, ClientError) else found.error.code
        assert seen == code, f"{seen}, not {code}"
        REFUSED.append(code)
        return
    raise AssertionError(f"nothing refused; {code} was expected")


def part_1_refusals(groups, net):
    """What the portal would not let a person do, as the typed errors that the SDK has for it."""
    refused(ResourceNotFoundError, lambda: groups.resource_groups.get("NoSuchRG"), "ResourceGroupNotFound")
    refused(ResourceNotFoundError, lambda: net.virtual_networks.get(GROUP, "NoSuchVNet"), "ResourceNotFound")
    refused(ResourceNotFoundError, lambda: net.virtual_network_gateway_connections.get_shared_key(GROUP, "none"), "ResourceNotFound")

    def subnet(prefix):
        return net.subnets.begin_create_or_update(GROUP, "VNet1", "more", {"properties": {"addressPrefix": prefix}}).result()
    refused(HttpResponseError, lambda: subnet("10.7.0.0/24"), "NetcfgInvalidSubnet")
    refused(HttpResponseError, lambda: subnet("10.1.0.0/25"), "NetcfgSubnetRangesOverlap")

    def ip(name="odd", place=PLACE, sku="Standard", method="Static", **more):
        return net.public_ip_addresses.begin_create_or_update(GROUP, name, {
            "location": place, "sku": {"name": sku}, "properties": {"publicIPAllocationMethod": method}, **more}).result()
    refused(HttpResponseError, lambda: ip(method="Dynamic"), "StandardSkuPublicIPMustBeStatic")
    refused(HttpResponseError, lambda: ip(sku="Basic", zones=["1"]), "BasicSkuPublicIPCannotHaveZones")
    refused(ResourceExistsError, lambda: ip("VNet1GWpip", "westus", zones=["1", "2", "3"]), "InvalidResourceLocation")
    refused(HttpResponseError, lambda: net.local_network_gateways.begin_create_or_update(GROUP, "odd", {
        "location": PLACE, "properties": {"gatewayIpAddress": "52.0.0.9", "localNetworkAddressSpace": {"addressPrefixes": []}},
    }).result(), "LocalNetworkGatewayCannotHaveEmptyAddressPrefixAndBgpSettings")
    try:
        azure(ResourceManagementClient, "wrong").resource_groups.get(GROUP)
        raise AssertionError("a wrong secret was accepted")
    except ClientAuthenticationError as found:
        assert "AADSTS7000215" in str(found), found
        REFUSED.append("AADSTS7000215")


def part_1_in_use(net):
    refused(HttpResponseError, lambda: net.subnets.begin_delete(GROUP, "VNet1", "GatewaySubnet").result(), "InUseSubnetCannotBeDeleted")
    refused(HttpResponseError, lambda: net.public_ip_addresses.begin_delete(GROUP, "VNet1GWpip").result(),
            "PublicIPAddressCannotBeDeleted")


def part_2_refusals(ec2, vpc, vgw, customer):
    """Likewise for EC2, with the gateway attached and nothing on it yet."""
    tunnel = {"CustomerGatewayId": customer, "Type": "ipsec.1", "VpnGatewayId": vgw}
    missing = "vgw-0123456789abcdef0"
    for call, code in (
        (lambda: ec2.describe_vpcs(VpcIds=["vpc-0123456789abcdef0"]), "InvalidVpcID.NotFound"),
        (lambda: ec2.describe_vpn_gateways(VpnGatewayIds=[missing]), "InvalidVpnGatewayID.NotFound"),
        (lambda: ec2.describe_customer_gateways(CustomerGatewayIds=["cgw-0123456789abcdef0"]), "InvalidCustomerGatewayID.NotFound"),
        (lambda: ec2.create_vpn_gateway(Type="ipsec.1", AmazonSideAsn=7224), "InvalidParameterValue"),
        (lambda: ec2.create_vpn_gateway(Type="ipsec.1", DryRun=True), "DryRunOperation"),
        (lambda: ec2.create_vpn_connection(**tunnel, Options={"TunnelOptions": [{"TunnelInsideCidr": "10.0.0.0/30"}]}),
         "InvalidParameterValue"),
        (lambda: ec2.create_vpn_connection(**tunnel, Options={"TunnelOptions": [{"PreSharedKey": "short"}]}), "InvalidParameterValue"),
        (lambda: ec2.delete_vpc(VpcId=vpc), "DependencyViolation"),
        (lambda: ec2.delete_vpn_gateway(VpnGatewayId=vgw), "IncorrectState"),
    ):
        refused(ClientError, call, code)
    stranger = boto3.client("ec2", aws_access_key_id="AKIAINVALID", aws_secret_access_key="x")
    refused(ClientError, stranger.describe_vpcs, "AuthFailure")


def until(words, look, seconds=60):
    """Looks until it is so. EC2 may not show at once what was just made: an empty list, or that it is not found."""
    end = time.monotonic() + seconds
    while True:
        try:
            if look():
                return
        except IndexError:
            pass
        except ClientError as error:
            if not error.response["Error"]["Code"].endswith(".NotFound"):
                raise
        assert time.monotonic() < end, f"never: {words}"
        time.sleep(0.2)


def part_1(groups, net):
    assert not groups.resource_groups.check_existence(GROUP)
    groups.resource_groups.create_or_update(GROUP, {"location": PLACE})
    net.virtual_networks.begin_create_or_update(GROUP, "VNet1", {
        "location": PLACE,
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                       "subnets": [{"name": "FrontEnd", "properties": {"addressPrefix": "10.1.0.0/24"}}]},
    }).result()
    net.subnets.begin_create_or_update(
        GROUP, "VNet1", "GatewaySubnet", {"properties": {"addressPrefix": "10.1.1.0/24"}}).result()
    for name in ("VNet1GWpip", "VNet1GWpip2"):
        ip = net.public_ip_addresses.begin_create_or_update(GROUP, name, {
            "location": "East US", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
            "properties": {"publicIPAllocationMethod": "Static"},
        }).result()
        assert ip.location == "eastus" and ip.ip_address, ip
    refused(HttpResponseError, lambda: gateway(net, "VpnGw2"), "NonAzSkusNotAllowedForVPNGateway")
    part_1_refusals(groups, net)
    made = gateway(net, "VpnGw2AZ")
    settings = made.bgp_settings
    assert made.provisioning_state == "Succeeded" and made.active_active and settings.asn == 65000, made
    assert len(settings.bgp_peering_address.split(",")) == 2
    by_instance = {p.ipconfiguration_id.rsplit("/", 1)[1]: set(p.custom_bgp_ip_addresses) for p in settings.bgp_peering_addresses}
    assert by_instance == {"ip0": {"169.254.21.2", "169.254.22.2"}, "ip1": {"169.254.21.6", "169.254.22.6"}}, by_instance
    part_1_in_use(net)
    step("part 1: the VNet's active-active gateway")
    return [p.ip_address for p in (net.public_ip_addresses.get(GROUP, n) for n in ("VNet1GWpip", "VNet1GWpip2"))]


def gateway(net, sku):
    own = network_id("virtualNetworkGateways", "VNet1GW")
    configurations = [
        {"name": f"ip{i}", "properties": {
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": network_id("virtualNetworks", "VNet1") + "/subnets/GatewaySubnet"},
            "publicIPAddress": {"id": network_id("publicIPAddresses", pip)}}}
        for i, pip in enumerate(("VNet1GWpip", "VNet1GWpip2"))]
    addresses = [
        {"ipconfigurationId": f"{own}/ipConfigurations/ip0", "customBgpIpAddresses": ["169.254.21.2", "169.254.22.2"]},
        {"ipconfigurationId": f"{own}/ipConfigurations/ip1", "customBgpIpAddresses": ["169.254.21.6", "169.254.22.6"]}]
    return net.virtual_network_gateways.begin_create_or_update(GROUP, "VNet1GW", {
        "location": PLACE,
        "properties": {
            "gatewayType": "Vpn", "vpnType": "RouteBased", "vpnGatewayGeneration": "Generation2",
            "sku": {"name": sku, "tier": sku}, "activeActive": True, "enableBgp": True, "ipConfigurations": configurations,
            "bgpSettings": {"asn": 65000, "bgpPeeringAddresses": addresses}},
    }).result()


def available(ec2, waiter, **ids):
    """The SDK's own waiter, begun again while EC2 does not show yet what was just made."""
    for attempt in range(100):
        try:
            return ec2.get_waiter(waiter).wait(**ids, **WAIT)
        except WaiterError as error:
            if ".NotFound" not in str(error) or attempt == 99:
                raise
            time.sleep(0.1)


def part_2(ec2, azure_ips):
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    available(ec2, "vpc_available", VpcIds=[vpc])
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    vgw = ec2.create_vpn_gateway(Type="ipsec.1", AmazonSideAsn=64512)["VpnGateway"]["VpnGatewayId"]
    until("VGW available", lambda: ec2.describe_vpn_gateways(
        Filters=[{"Name": "vpn-gateway-id", "Values": [vgw]}])["VpnGateways"][0]["State"] == "available")
    refused(ClientError, lambda: ec2.enable_vgw_route_propagation(GatewayId=vgw, RouteTableId=main), "Gateway.NotAttached")
    until("VGW attaching", lambda: ec2.attach_vpn_gateway(VpcId=vpc, VpnGatewayId=vgw))
    until("VGW attached", lambda: ec2.describe_vpn_gateways(VpnGatewayIds=[vgw])["VpnGateways"][0]["VpcAttachments"][0]["State"] == "attached")
    ec2.enable_vgw_route_propagation(GatewayId=vgw, RouteTableId=main)
    customers, vpns = [], []
    for i, ip in enumerate(azure_ips):
        customer = ec2.create_customer_gateway(BgpAsn=65000, IpAddress=ip, Type="ipsec.1", DeviceName=f"azure-{i}")
        customers.append(customer["CustomerGateway"]["CustomerGatewayId"])
        assert customer["CustomerGateway"]["BgpAsn"] == "65000"
        available(ec2, "customer_gateway_available", CustomerGatewayIds=[customers[-1]])
        if i == 0:
            part_2_refusals(ec2, vpc, vgw, customers[-1])
        tunnels = [{"TunnelInsideCidr": f"169.254.{n}.{4 * i}/30", "StartupAction": "start",
                    "PreSharedKey": f"Key_of_instance{i}_tunnel{n}"} for n in (21, 22)]
        made = ec2.create_vpn_connection(
            CustomerGatewayId=customers[-1], Type="ipsec.1", VpnGatewayId=vgw,
            Options={"StaticRoutesOnly": False, "TunnelOptions": tunnels})
        vpns.append(made["VpnConnection"]["VpnConnectionId"])
    available(ec2, "vpn_connection_available", VpnConnectionIds=vpns)
    refused(ClientError, lambda: ec2.delete_customer_gateway(CustomerGatewayId=customers[0]), "IncorrectState")
    refused(ClientError, lambda: ec2.describe_vpn_connections(VpnConnectionIds=["vpn-0123456789abcdef0"]), "InvalidVpnConnectionID.NotFound")
    found = ec2.describe_vpn_connections(VpnConnectionIds=vpns)["VpnConnections"]
    ends = {t["TunnelInsideCidr"]: t["OutsideIpAddress"] for v in found for t in v["Options"]["TunnelOptions"]}
    assert len(ends) == 4 and all("CustomerGatewayConfiguration" in v and "VgwTelemetry" in v for v in found), found
    step("part 2: the VPC's gateway, two customer gateways, two VPN connections")
    return vpc, main, vgw, customers, vpns, ends


def part_3(net, ends):
    own = network_id("virtualNetworkGateways", "VNet1GW")
    for i in (0, 1):
        for n in (21, 22):
            name = f"AWSTunnel{n - 20}ToInstance{i}"
            local = net.local_network_gateways.begin_create_or_update(GROUP, name, {
                "location": PLACE,
                "properties": {"gatewayIpAddress": ends[f"169.254.{n}.{4 * i}/30"],
                               "localNetworkAddressSpace": {"addressPrefixes": []},
                               "bgpSettings": {"asn": 64512, "bgpPeeringAddress": f"169.254.{n}.{4 * i + 1}"}},
            }).result()
            connection = net.virtual_network_gateway_connections.begin_create_or_update(GROUP, name, {
                "location": PLACE,
                "properties": {
                    "connectionType": "IPsec", "connectionProtocol": "IKEv2", "enableBgp": True,
                    "sharedKey": f"Key_of_instance{i}_tunnel{n}", "connectionMode": "ResponderOnly",
                    "virtualNetworkGateway1": {"id": own}, "localNetworkGateway2": {"id": local.id},
                    "gatewayCustomBgpIpAddresses": [
                        {"ipConfigurationId": f"{own}/ipConfigurations/ip{j}", "customBgpIpAddress": f"169.254.{n}.{4 * j + 2}"}
                        for j in (0, 1)]},
            }).result()
            assert connection.provisioning_state == "Succeeded" and connection.connection_mode == "ResponderOnly"
            assert not connection.shared_key, "a connection shows no key"
            key = net.virtual_network_gateway_connections.get_shared_key(GROUP, name)
            assert key.value == f"Key_of_instance{i}_tunnel{n}"
    step("part 3: four local network gateways and four connections")


def part_4(ec2, net, vpns):
    def up():
        found = ec2.describe_vpn_connections(VpnConnectionIds=vpns)["VpnConnections"]
        return [t["Status"] for v in found for t in v["VgwTelemetry"]] == ["UP"] * 4
    until("four tunnels up at AWS", up)

    def peers():
        rows = net.virtual_network_gateways.begin_get_bgp_peer_status(GROUP, "VNet1GW").result().value
        return sum(1 for row in rows if row.state == "Connected") == 4
    until("four peers connected at Azure", peers)
    names = [c.name for c in net.virtual_network_gateway_connections.list(GROUP)]
    states = [net.virtual_network_gateway_connections.get(GROUP, name).connection_status for name in names]
    assert states == ["Connected"] * 4, states
    routes = net.virtual_network_gateways.begin_get_learned_routes(GROUP, "VNet1GW").result().value
    assert any(r.network == "10.2.0.0/16" for r in routes), routes
    step("part 4: four tunnels up, four sessions connected, routes learned")


def take_down(ec2, net, groups, vpc, main, vgw, customers, vpns):
    refused(HttpResponseError, lambda: net.virtual_network_gateways.begin_delete(GROUP, "VNet1GW").result(),
            "VirtualNetworkGatewayCannotBeDeleted")
    for connection in list(net.virtual_network_gateway_connections.list(GROUP)):
        net.virtual_network_gateway_connections.begin_delete(GROUP, connection.name).result()
    for local in list(net.local_network_gateways.list(GROUP)):
        net.local_network_gateways.begin_delete(GROUP, local.name).result()
    net.virtual_network_gateways.begin_delete(GROUP, "VNet1GW").result()
    try:
        net.virtual_network_gateways.get(GROUP, "VNet1GW")
        raise AssertionError("the gateway is still there")
    except ResourceNotFoundError as gone:
        assert gone.error.code == "ResourceNotFound"
    groups.resource_groups.begin_delete(GROUP).result()
    for vpn in vpns:
        ec2.delete_vpn_connection(VpnConnectionId=vpn)
    ec2.get_waiter("vpn_connection_deleted").wait(VpnConnectionIds=vpns, **WAIT)
    for customer in customers:
        ec2.delete_customer_gateway(CustomerGatewayId=customer)
    ec2.disable_vgw_route_propagation(GatewayId=vgw, RouteTableId=main)
    ec2.detach_vpn_gateway(VpcId=vpc, VpnGatewayId=vgw)
    until("VGW detached", lambda: all(
        a["State"] == "detached" for a in ec2.describe_vpn_gateways(VpnGatewayIds=[vgw])["VpnGateways"][0]["VpcAttachments"]))
    ec2.delete_vpn_gateway(VpnGatewayId=vgw)
    ec2.delete_vpc(VpcId=vpc)
    step("taken down")


BEGUN = time.monotonic()
REFUSED = []


def main():
    groups, net = azure(ResourceManagementClient), azure(NetworkManagementClient)
    ec2 = boto3.client("ec2", config=Config(retries={"mode": "standard"}))
    assert boto3.client("sts").get_caller_identity()["Account"]
    azure_ips = part_1(groups, net)
    vpc, table, vgw, customers, vpns, ends = part_2(ec2, azure_ips)
    part_3(net, ends)
    part_4(ec2, net, vpns)
    if not KEEP:
        take_down(ec2, net, groups, vpc, table, vgw, customers, vpns)
    step(f"{len(REFUSED)} documented errors arrived typed, {len(set(REFUSED))} codes")


if __name__ == "__main__":
    main()
