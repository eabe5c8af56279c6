/** `--listen`: `127.0.0.1:8255`, `[::1]:8255`, `:8255` (all addresses), `name:8255`. Port 0: any free one. */
import { isIPv6 } from "node:net";
import { ServeError } from "./serve-error.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Throws `bad_listen`. */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  const [, bracketed, plain, digits = ""] = match ?? [];
  const port = Number(digits);
  const isWrong = bracketed !== undefined && !isIPv6(bracketed);
  if (match === null || isWrong || port > 65_535) {
    throw new ServeError(
      "bad_listen",
      `--listen is no address with a port, ${text.slice(0, 80)}, write 10.0.0.1:8255, [::1]:8255 or :8255`,
    );
  }
  return { host: bracketed ?? (plain === undefined || plain === "" ? "0.0.0.0" : plain), port };
}

/** A URL that reaches the server from its own machine. */
export function localUrl(scheme: "http" | "https", { host, port }: ListenAddress): string {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `${scheme}://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}

/** The host of `--public-url`. Throws `bad_public_url`. */
export function publicHostOf(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") {
    return url.hostname.replaceAll(/^\[|\]$/g, "");
  }
  throw new ServeError(
    "bad_public_url",
    `--public-url is no URL, ${text.slice(0, 80)}, write https://logs.example.org`,
  );
}
