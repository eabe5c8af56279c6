/** A host at the end of a slow line: its link passes through a relay that keeps every frame for a while. */
import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { Child } from "../../demo/child.ts";
import { ip, type Host, type Mesh } from "./namespaces.ts";

const RELAY = fileURLToPath(new URL("delay-relay.pl", import.meta.url));

export interface Delay {
  /** One way. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

/**
 * Replaces the host's link; addresses are set anew afterwards, by `routeSwitch`. The line lives as
 * long as the child that is returned.
 */
export async function slowDown(mesh: Mesh, host: Host, delay: Delay): Promise<Child> {
  const port = mesh.portOf(host);
  const end = `${port}-far`;
  await ip("-n", mesh.switchNamespace, "link", "delete", port);
  const words = [RELAY, port, end, String(delay.delayMs), String(delay.jitterMs)];
  const args = ["netns", "exec", mesh.switchNamespace, "perl", ...words];
  const relay = new Child("ip", args, { name: `slow line of ${host.name}` });
  await Promise.race([
    relay.process.stdout && once(relay.process.stdout, "data"),
    relay.line(() => false),
  ]);
  const move = ["link", "set", end, "netns", host.namespace, "name", "mesh0"];
  await ip("-n", mesh.switchNamespace, ...move);
  await ip("-n", host.namespace, "link", "set", "mesh0", "up");
  await ip("-n", mesh.switchNamespace, "link", "set", port, "up");
  return relay;
}
