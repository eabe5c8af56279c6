/** Why a server cannot be reached, and what to do about it. */
import { CommandError } from "../std/command-error.ts";
import type { Remote } from "./remote-options.ts";
import { speaksTls } from "./speaks-tls.ts";

export async function unreachable(remote: Remote, cause: Error): Promise<CommandError> {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = message === "" ? (code ?? "no connection") : message;
  const todo = await remedy(remote, `${code ?? ""} ${message}`);
  return new CommandError(
    "command_failed",
    `cannot reach the server, ${remote.url.origin} (${reason.replaceAll(/\s*\n\s*/g, " ")}), ${todo}`,
  );
}

async function remedy({ url, dataDir }: Remote, reason: string): Promise<string> {
  // What DIR says of URL and certificate is the server's own word: it is another server, or none.
  if (dataDir !== undefined) return `check that the server of --data ${dataDir} runs`;
  if (
    url.protocol === "http:" &&
    /hang up|ECONNRESET|HPE_/.test(reason) &&
    (await speaksTls(url))
  ) {
    return `the server speaks TLS: use https://${url.host}`;
  }
  if (/wrong version number|WRONG_VERSION|packet length too long/i.test(reason)) {
    return `the server speaks plain http: use http://${url.host}`;
  }
  if (/certificate|self.signed|CERT|altname/i.test(reason)) {
    return "set TALLYSTICK_CA to its certificate (DIR/tls/cert.pem on the server)";
  }
  return "check TALLYSTICK_URL and that the server runs";
}
