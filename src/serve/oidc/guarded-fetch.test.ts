import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { coded } from "../../control/test-control.ts";
import { ManualClock } from "../../std/clock.ts";
import { FETCH_BYTES_MAX, FETCH_MS_MAX, guardedFetch, type Lookup } from "./guarded-fetch.ts";

let server: Server;
let base = "";
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
let asked = 0;
before(async () => {
  server = createServer((request, response) => {
    asked++;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const clock = new ManualClock();
const fetch = guardedFetch({ clock });

function resolvingTo(...addresses: string[]): Lookup {
  return (_name, done) => {
    const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    done(null, found);
  };
}

it("asks, and gives status, type and body", async () => {
  answer = (request, response) => {
    response.writeHead(201, { "content-type": "application/json" });
    request.pipe(response);
  };
  const headers = { "content-type": "application/json" };
  const response = await fetch(base, { method: "POST", headers, body: '{"a":1}' });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), { a: 1 });
});

describe("refuses without asking", () => {
  const urls = [
    "nonsense",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "data:application/json,{}",
    "http://192.0.2.1/",
    "http://logs.example.org/",
    "http://localhost.evil.example/",
    "https://name:word@idp.example/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.0.1:8443/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[::]/",
    "https://0.0.0.0/",
    "https://0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
  ];
  for (const url of urls) {
    it(url, async () => {
      await assert.rejects(fetch(url), coded("bad_issuer"));
    });
  }

  const names: [url: string, addresses: string[]][] = [
    ["https://idp.example/", ["169.254.169.254"]],
    ["https://idp.example/", ["fe80::1"]],
    ["https://idp.example/", ["::ffff:169.254.169.254"]],
    ["https://idp.example/", ["127.0.0.1", "169.254.169.254"]],
    ["https://idp.example/", ["0.0.0.0"]],
    ["http://localhost/", ["192.0.2.1"]],
    ["http://localhost/", ["127.0.0.1", "10.0.0.1"]],
  ];
  for (const [url, addresses] of names) {
    it(`${url} at ${addresses.join(" and ")}`, async () => {
      const askedBefore = asked;
      const guarded = guardedFetch({ clock, lookup: resolvingTo(...addresses) });
      const { port } = new URL(base);
      await assert.rejects(guarded(url.replace(/\/$/, `:${port}/`)), coded("bad_issuer"));
      assert.equal(asked, askedBefore);
    });
  }
});

it("says so where a name has no address, and where nothing listens", async () => {
  const nowhere = guardedFetch({ clock, lookup: resolvingTo() });
  await assert.rejects(nowhere("https://idp.example/"), coded("oidc_unreachable"));
  const failing = guardedFetch({ clock, lookup: (_name, done) => done(new Error("no DNS"), []) });
  await assert.rejects(failing("https://idp.example/"), coded("oidc_unreachable"));
  await assert.rejects(fetch("http://127.0.0.1:1/"), coded("oidc_unreachable"));
});

it("waits ten seconds for a resolver, too", async () => {
  const stuck = guardedFetch({ clock, lookup: () => undefined });
  const refused = assert.rejects(stuck("https://idp.example/"), coded("oidc_unreachable"));
  clock.advance(FETCH_MS_MAX);
  await refused;
});

describe("of a server that answers oddly", () => {
  it("follows no redirect", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const askedBefore = asked;
      answer = (_request, response) => {
        response.writeHead(status, { location: `${base}/elsewhere` }).end();
      };
      await assert.rejects(fetch(base), coded("bad_issuer"));
      assert.equal(asked, askedBefore + 1);
    }
  });

  it("reads 256 KiB, and no byte more", async () => {
    answer = (_request, response) => void response.end("x".repeat(FETCH_BYTES_MAX));
    assert.equal((await (await fetch(base)).text()).length, FETCH_BYTES_MAX);
    answer = (_request, response) => void response.end("x".repeat(FETCH_BYTES_MAX + 1));
    await assert.rejects(fetch(base), coded("bad_issuer"));
  });

  it("hangs up on one that would send for ever", async () => {
    const closed = new Promise<void>((resolve) => {
      answer = (_request, response) => {
        const send = (): void => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
        };
        response.on("drain", send).once("close", () => resolve());
        send();
      };
    });
    await assert.rejects(fetch(base), coded("bad_issuer"));
    await closed;
  });

  const hangs: [title: string, begin: (response: ServerResponse) => void][] = [
    ["answers nothing", () => undefined],
    ["answers half", (response) => void response.writeHead(200).write("{")],
  ];
  for (const [title, begin] of hangs) {
    it(`waits ten seconds for one that ${title}`, async () => {
      const reached = new Promise<ServerResponse>((resolve) => {
        answer = (_request, response) => {
          begin(response);
          resolve(response);
        };
      });
      const call = fetch(base);
      const refused = assert.rejects(call, coded("oidc_unreachable"));
      const response = await reached;
      const closed = once(response, "close");
      clock.advance(FETCH_MS_MAX);
      await refused;
      await closed;
    });
  }

  it("does not take half an answer for a whole one", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{}", () => response.destroy());
    };
    await assert.rejects(fetch(base), coded("oidc_unreachable"));
  });
});
