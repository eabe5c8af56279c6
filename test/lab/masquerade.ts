/** Hosts and containers behind another host, which routes for them in its own name. */
import { inside, ip, type Host, type Mesh } from "./namespaces.ts";

const INNER_ROUTER = "169.254.78.1";
export const CONTAINER_IP = "172.17.0.2";
const BRIDGE = "docker0";
const BRIDGE_IP = "172.17.0.1";

/** Moves a host of the mesh behind another one: it keeps its address, which nobody else sees. */
export async function moveBehind(mesh: Mesh, host: Host, router: Host): Promise<void> {
  await ip("-n", mesh.switchNamespace, "link", "delete", mesh.portOf(host));
  const names = ["name", "mesh0", "netns", host.namespace];
  await ip("-n", router.namespace, "link", "add", "inside0", "type", "veth", "peer", ...names);
  await ip("-n", router.namespace, "addr", "add", `${INNER_ROUTER}/32`, "dev", "inside0");
  await ip("-n", router.namespace, "link", "set", "inside0", "up");
  await ip("-n", router.namespace, "route", "add", host.ip, "dev", "inside0");
  await ip("-n", host.namespace, "addr", "add", `${host.ip}/32`, "dev", "mesh0");
  await ip("-n", host.namespace, "link", "set", "mesh0", "up");
  await route(host.namespace, INNER_ROUTER, "mesh0");
  await masquerade(router, `${host.ip}/32`);
}

/**
 * A container as Docker would run it: behind the bridge `docker0`, whose address is the same on
 * every such host, masqueraded on its way out; `published` on the host leads to `port` inside it.
 */
export async function addContainer(
  host: Host,
  published: { readonly from: number; readonly to: number },
): Promise<Host> {
  const namespace = `${host.namespace}-box`;
  await ip("netns", "add", namespace);
  const at = ["-n", host.namespace];
  await ip(...at, "link", "add", BRIDGE, "type", "bridge");
  await ip(...at, "addr", "add", `${BRIDGE_IP}/16`, "dev", BRIDGE);
  await ip(...at, "link", "set", BRIDGE, "up");
  const peer = ["peer", "name", "mesh0", "netns", namespace];
  await ip(...at, "link", "add", "vethbox", "type", "veth", ...peer);
  await ip(...at, "link", "set", "vethbox", "master", BRIDGE, "up");
  await ip("-n", namespace, "addr", "add", `${CONTAINER_IP}/16`, "dev", "mesh0");
  await ip("-n", namespace, "link", "set", "mesh0", "up");
  await ip("-n", namespace, "link", "set", "lo", "up");
  await ip("-n", namespace, "route", "add", "default", "via", BRIDGE_IP);
  await masquerade(host, "172.17.0.0/16");
  const { from, to } = published;
  const rule = `tcp dport ${from} fib daddr type local dnat to ${CONTAINER_IP}:${to}`;
  await inside(host, "nft", `add rule ip nat pre ${rule}`);
  return { name: `box of ${host.name}`, ip: CONTAINER_IP, namespace };
}

async function masquerade(router: Host, source: string): Promise<void> {
  await inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await inside(
    router,
    "nft",
    `add table ip nat;
     add chain ip nat pre { type nat hook prerouting priority -100; };
     add chain ip nat post { type nat hook postrouting priority 100; };
     add rule ip nat post ip saddr ${source} oifname "mesh0" masquerade`,
  );
}

async function route(namespace: string, gateway: string, device: string): Promise<void> {
  await ip("-n", namespace, "route", "add", gateway, "dev", device, "scope", "link");
  await ip("-n", namespace, "route", "add", "default", "via", gateway, "dev", device);
}
