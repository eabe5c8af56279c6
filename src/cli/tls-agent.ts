/** Whom the command line believes to be the server. */
import { createHash } from "node:crypto";
import { Agent, type AgentOptions } from "node:https";
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import type { Remote } from "./remote-options.ts";

type Done = (error: Error | null, stream: Duplex) => void;

/** By fingerprint, by the given certificates, or by the machine's authorities. */
export function tlsAgent({ authorities, fingerprint }: Remote): Agent {
  if (fingerprint !== undefined) return pinnedAgent(fingerprint);
  const options: AgentOptions = { keepAlive: true };
  if (authorities === undefined) return new Agent(options);
  const known = authorities.map(({ raw }) => hashOf(raw));
  return new Agent({
    ...options,
    ca: authorities.map(String),
    // The very certificate in the file is the server, under whatever name it is reached.
    checkServerIdentity: (host, peer) =>
      known.some((hash) => hash.equals(hashOf(peer.raw)))
        ? undefined
        : checkServerIdentity(host, peer),
  });
}

/** No request is written before the certificate was compared: it would carry the token. */
function pinnedAgent(fingerprint: Buffer): Agent {
  const agent = new Agent({ keepAlive: true });
  agent.createConnection = (options, done?: Done) => {
    const { host, port } = options as ConnectionOptions;
    const socket = connect({ host, port, rejectUnauthorized: false } as ConnectionOptions);
    const fail = (error: Error): void => done?.(error, socket);
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      socket.off("error", fail);
      if (isPinned(socket, fingerprint)) return done?.(null, socket);
      socket.destroy();
      fail(new Error("the server shows another certificate than expected"));
    });
    return undefined;
  };
  return agent;
}

function isPinned(socket: TLSSocket, fingerprint: Buffer): boolean {
  const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
  return raw !== undefined && hashOf(raw).equals(fingerprint);
}

function hashOf(der: Buffer): Buffer {
  return createHash("sha256").update(der).digest();
}
