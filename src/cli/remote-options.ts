/** Options of every command that talks to a server, and what they resolve to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../std/command-error.ts";
import type { OptionTable, OptionValues } from "../std/command-options.ts";

/** Last in the help of each command. */
export const remoteOptions = {
  url: { type: "text", summary: "the server", value: "URL", env: ["TALLYSTICK_URL"] },
  token: { type: "text", summary: "who asks", value: "TOKEN", env: ["TALLYSTICK_TOKEN"] },
  ca: {
    type: "text",
    summary: "file with the server's certificate, or sha256:HEX of it",
    value: "FILE",
    env: ["TALLYSTICK_CA"],
  },
  data: {
    type: "text",
    summary: "on the server's machine: its data directory, instead of the three above",
    value: "DIR",
  },
} as const satisfies OptionTable;

export type RemoteValues = OptionValues<typeof remoteOptions>;

export interface Remote {
  readonly url: URL;
  readonly token: string;
  /** Certificates that may vouch for the server, PEM. */
  readonly caPem?: string;
  /** SHA-256 of the server's certificate: then nobody else's word counts. */
  readonly fingerprint?: Buffer;
}

const URL_DEFAULT = "http://127.0.0.1:8255";

/** Throws `CommandError`. `--data` wins: the variables may be meant for another server. */
export function remoteOf(values: RemoteValues): Remote {
  const local = values.data === undefined ? {} : readDirectory(values.data);
  const token = local.token ?? values.token;
  if (token === undefined) {
    throw new CommandError(
      "wrong_usage",
      "no token, set TALLYSTICK_TOKEN or give --data DIR on the server's machine",
    );
  }
  const url = parseUrl(local.url ?? values.url ?? URL_DEFAULT);
  const { fingerprint } = local;
  if (fingerprint !== undefined) return { url, token, fingerprint };
  return { url, token, ...authority(values.ca) };
}

interface LocalServer {
  readonly url?: string;
  readonly token?: string;
  readonly fingerprint?: Buffer;
}

function readDirectory(dataDir: string): LocalServer {
  const token = read(join(dataDir, "admin.token"), "start the server once, or run as its user");
  const serving = read(join(dataDir, "serving.json"), "start the server on this directory");
  const { url, fingerprint } = JSON.parse(serving) as { url: string; fingerprint?: string };
  return {
    url,
    token: token.trim(),
    ...(fingerprint === undefined ? {} : { fingerprint: Buffer.from(fingerprint, "base64url") }),
  };
}

function authority(ca: string | undefined): Pick<Remote, "caPem" | "fingerprint"> {
  if (ca === undefined) return {};
  const hex = /^sha256:([0-9a-fA-F:]+)$/.exec(ca)?.[1]?.replaceAll(":", "");
  if (hex === undefined) return { caPem: read(ca, "name the server's certificate in PEM form") };
  const fingerprint = Buffer.from(hex, "hex");
  if (fingerprint.length === 32) return { fingerprint };
  throw new CommandError("wrong_usage", `no SHA-256, ${ca}, write sha256: and 64 hex digits`);
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") return url;
  throw new CommandError("wrong_usage", `no URL, ${text}, write https://HOST:8255`);
}

function read(file: string, todo: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code = "unreadable" } = cause as NodeJS.ErrnoException;
    throw new CommandError("command_failed", `cannot read, ${file} (${code}), ${todo}`);
  }
}
