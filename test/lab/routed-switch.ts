/**
 * The mesh's switch as a router that loses packets: each host is alone on its link and reaches the
 * others through the switch, which is no node and changes nothing but the hop count.
 */
import { inside, ip, type Host, type Mesh } from "./namespaces.ts";
import { ipv6Of } from "./addresses.ts";

/** The switch on each of its links. */
const GATEWAY = "169.254.77.1";
const GATEWAY6 = "fe80::77";

export interface Loss {
  /** Of all packets that pass, by chance. */
  readonly lossPercent: number;
}

/** Call before anything runs on the hosts: they get their addresses anew. */
export async function routeSwitch(mesh: Mesh, hosts: readonly Host[], loss: Loss): Promise<void> {
  const inSwitch: Host = { name: "switch", ip: GATEWAY, namespace: mesh.switchNamespace };
  await inside(inSwitch, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await inside(inSwitch, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
  for (const host of hosts) await attach(mesh, host);
  if (loss.lossPercent > 0) await inside(inSwitch, "nft", losing(loss.lossPercent));
}

async function attach(mesh: Mesh, host: Host): Promise<void> {
  const port = mesh.portOf(host);
  const at = ["-n", mesh.switchNamespace];
  await ip(...at, "link", "set", port, "nomaster");
  await ip(...at, "addr", "add", `${GATEWAY}/32`, "dev", port);
  await ip(...at, "addr", "add", `${GATEWAY6}/64`, "dev", port, "nodad");
  await ip(...at, "route", "add", `${host.ip}/32`, "dev", port);
  await ip(...at, "-6", "route", "add", `${ipv6Of(host)}/128`, "dev", port);
  await addressHost(host);
}

async function addressHost(host: Host): Promise<void> {
  const on = ["dev", "mesh0"];
  const at = ["-n", host.namespace];
  await ip(...at, "addr", "flush", ...on, "scope", "global");
  await ip(...at, "addr", "add", `${host.ip}/32`, ...on);
  await ip(...at, "addr", "add", `${ipv6Of(host)}/128`, ...on, "nodad");
  await ip(...at, "route", "add", GATEWAY, ...on, "scope", "link");
  await ip(...at, "route", "add", "default", "via", GATEWAY, ...on);
  await ip(...at, "-6", "route", "add", "default", "via", GATEWAY6, ...on);
}

function losing(percent: number): string {
  return `add table inet loss; add chain inet loss pass { type filter hook forward priority 0; };
    add rule inet loss pass numgen random mod 100 < ${percent} counter drop`;
}
