/** Options of every command that talks to a server, and what they resolve to. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Profile, readProfile } from "./profile.ts";
import { CommandError, type CommandErrorCode } from "../std/command-error.ts";
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
  /** Absent for who signs in. */
  readonly token?: string;
  /** Certificates that may vouch for the server; at least one. */
  readonly authorities?: readonly X509Certificate[];
  /** SHA-256 of the server's certificate: then nobody else's word counts. */
  readonly fingerprint?: Buffer;
  /** The server's own directory, which said all of this. */
  readonly dataDir?: string;
}

/** Stands in the line, beside the exit code (docs/errors.md). */
export type RemoteErrorCode = "bad_token" | "bad_ca";

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const URL_DEFAULT = "http://127.0.0.1:8255";

/** Throws `CommandError`. `--data` wins: the variables may be meant for another server; and they win over the profile. */
export function remoteOf(values: RemoteValues, env: NodeJS.ProcessEnv = {}): Remote {
  if (values.data !== undefined) return dataRemote(values.data, values.ca);
  if (values.token !== undefined) {
    const token = checkToken(values.token);
    return { url: parseUrl(values.url ?? URL_DEFAULT), token, ...authority(values.ca) };
  }
  return profileRemote(values, readProfile(env));
}

/** Where to sign in: nobody is anybody yet. Throws `CommandError`. */
export function signInRemote({ url, ca }: Pick<RemoteValues, "url" | "ca">): Remote {
  return { url: parseUrl(url ?? URL_DEFAULT), ...authority(ca) };
}

/** By what the server's own directory says. Throws `CommandError`. */
export function dataRemote(dataDir: string, ca?: string): Remote {
  const local = readDirectory(dataDir);
  const { fingerprint } = local;
  const url = parseUrl(local.url);
  const token = checkToken(local.token);
  if (fingerprint !== undefined) return { url, token, fingerprint, dataDir };
  return { url, token, ...authority(ca), dataDir };
}

/** The profile's token is for the profile's server alone. */
function profileRemote({ url: given, ca }: RemoteValues, profile: Profile | undefined): Remote {
  const url = parseUrl(given ?? profile?.url ?? URL_DEFAULT);
  if (profile === undefined || parseUrl(profile.url).origin !== url.origin) {
    const here = profile === undefined ? "" : ` (the profile is for ${profile.url})`;
    throw new CommandError(
      "wrong_usage",
      `no token${here}, set TALLYSTICK_TOKEN, give --data DIR on the server's machine, or sign in with \`tallystick login\``,
    );
  }
  return { url, token: checkToken(profile.token), ...authority(ca ?? profile.ca) };
}

/** A header's value: what is no part of a token is no secret, but may stand in the middle of one. */
export function checkToken(text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const what =
    token === "" ? "the token is empty" : "the token holds a line break, space or the like";
  const todo = "copy the one line of DIR/admin.token on the server";
  throw refusal("wrong_usage", "bad_token", `${what}, --token or TALLYSTICK_TOKEN, ${todo}`);
}

interface LocalServer {
  readonly url: string;
  readonly token: string;
  readonly fingerprint?: Buffer;
}

function readDirectory(dataDir: string): LocalServer {
  const token = read(join(dataDir, "admin.token"), "start the server once, or run as its user");
  const serving = read(join(dataDir, "serving.json"), "start the server on this directory");
  const { url, fingerprint } = JSON.parse(serving) as { url: string; fingerprint?: string };
  return {
    url,
    token,
    ...(fingerprint === undefined ? {} : { fingerprint: Buffer.from(fingerprint, "base64url") }),
  };
}

function authority(ca: string | undefined): Pick<Remote, "authorities" | "fingerprint"> {
  if (ca === undefined) return {};
  const hex = /^sha256:([0-9a-fA-F:]+)$/.exec(ca)?.[1]?.replaceAll(":", "");
  if (hex === undefined) return { authorities: readCertificates(ca) };
  const fingerprint = Buffer.from(hex, "hex");
  if (fingerprint.length === 32) return { fingerprint };
  throw new CommandError("wrong_usage", `no SHA-256, ${ca}, write sha256: and 64 hex digits`);
}

function readCertificates(file: string): X509Certificate[] {
  const todo = "name a copy of DIR/tls/cert.pem of the server, or sha256:HEX of it";
  const text = read(file, todo, "bad_ca");
  try {
    const found = (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
    if (found.length > 0) return found;
  } catch {
    // Said below: what OpenSSL says of it names neither file nor remedy.
  }
  throw refusal("command_failed", "bad_ca", `no certificate in PEM form, ${file}, ${todo}`);
}

function refusal(exit: CommandErrorCode, code: RemoteErrorCode, line: string): CommandError {
  return new CommandError(exit, `${line} (${code})`);
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") return url;
  throw new CommandError("wrong_usage", `no URL, ${text}, write https://HOST:8255`);
}

function read(file: string, todo: string, code?: RemoteErrorCode): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code: reason = "unreadable" } = cause as NodeJS.ErrnoException;
    const line = `cannot read, ${file} (${reason}), ${todo}`;
    throw code === undefined
      ? new CommandError("command_failed", line)
      : refusal("command_failed", code, line);
  }
}
