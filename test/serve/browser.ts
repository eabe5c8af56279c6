/** As much of a browser as signing in needs: a jar of cookies by host and port, and redirects, followed or not. */
import { JSON_TYPE, tell, type Told } from "./person.ts";

export class Browser {
  /** By origin, name to value. */
  readonly cookies = new Map<string, Map<string, string>>();

  /** One request, as for a navigation. */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Told<string>> {
    const told = await tell<string>(url, ["GET", pathOf(url)], {
      headers: { ...this.headers(url), accept: "text/html", ...headers },
    });
    this.#keep(url, told);
    return told;
  }

  /** With the session, from the server's own page. */
  async call<T = Record<string, unknown>>(
    url: string,
    [method, path]: readonly [method: string, path: string],
    body?: unknown,
  ): Promise<Told<T>> {
    const headers = { ...this.headers(url), ...JSON_TYPE, "sec-fetch-site": "same-origin" };
    const told = await tell<T>(url, [method, path], { headers, body });
    this.#keep(url, told);
    return told;
  }

  /** Follows redirects until one leads to an address that begins so; that one is not asked any more. */
  async follow(url: string, end: string): Promise<string> {
    let at = url;
    for (let count = 0; count < 20; count++) {
      const { status, headers, body } = await this.get(at);
      if (headers.location === undefined) throw new Error(`${at}: ${status} ${body}`);
      at = new URL(headers.location, at).href;
      if (at.startsWith(end)) return at;
    }
    throw new Error(`${url} redirects without end`);
  }

  headers(url: string): Record<string, string> {
    const jar = [...(this.cookies.get(new URL(url).origin) ?? [])];
    if (jar.length === 0) return {};
    return { cookie: jar.map(([name, value]) => `${name}=${value}`).join("; ") };
  }

  #keep(url: string, { headers }: Pick<Told, "headers">): void {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    for (const set of headers["set-cookie"] ?? []) {
      const [pair = ""] = set.split(";");
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      if (/max-age=0/i.test(set) || /expires=thu, 01 jan 1970/i.test(set)) jar.delete(name);
      else jar.set(name, value);
    }
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
