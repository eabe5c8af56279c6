import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressScope } from "./address-scope.ts";
import {
  claimedAddresses,
  claimingInterfaces,
  readLocalAddresses,
  type Interfaces,
} from "./own-addresses.ts";

function v4(cidr: string): NonNullable<Interfaces[string]>[number] {
  const address = cidr.split("/")[0] ?? "";
  return { address, cidr, family: "IPv4", internal: false, mac: "", netmask: "" };
}

function v6(cidr: string, scopeid = 0): NonNullable<Interfaces[string]>[number] {
  const address = cidr.split("/")[0] ?? "";
  return { address, cidr, family: "IPv6", internal: false, mac: "", netmask: "", scopeid };
}

const INTERFACES: Interfaces = {
  lo: [v4("127.0.0.1/8"), v6("::1/128")],
  eth0: [v4("10.1.2.3/22"), v6("fe80::1/64", 2), v6("2001:db8::5/64")],
  tailscale0: [v4("100.64.0.7/32")],
  docker0: [v4("172.17.0.1/16")],
  "br-0123456789ab": [v4("172.18.0.1/16")],
  "br-lan": [v4("192.168.1.1/24")],
};

test("names the node by addresses that are its own alone", () => {
  assert.deepEqual(readLocalAddresses(INTERFACES), {
    own: ["10.1.2.3", "100.64.0.7", "192.168.1.1", "2001:db8::5"],
    unnamed: ["172.17.0.1", "172.18.0.1"],
    inner: ["172.17.0.1/16", "172.18.0.1/16"],
    broadcasts: ["10.1.3.255", "172.17.255.255", "172.18.255.255", "192.168.1.255"],
  });
});

test("knows the interfaces that carry them", () => {
  const more = { ...INTERFACES, "eth1:2": [v4("10.9.0.1/24")], wlan0: [v6("fe80::7/64", 3)] };
  assert.deepEqual([...claimingInterfaces(more)], ["eth0", "tailscale0", "br-lan", "eth1"]);
});

test("claims them by network", () => {
  const scope = new AddressScope([{ name: "mesh", cidr: "100.64.0.0/10" }]);
  const claimed = claimedAddresses(readLocalAddresses(INTERFACES), (address) =>
    scope.networkOf(address),
  );
  assert.deepEqual(claimed, {
    default: ["10.1.2.3", "192.168.1.1", "2001:db8::5"],
    mesh: ["100.64.0.7"],
  });
});
