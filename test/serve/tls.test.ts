import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { parseEnrolmentKey } from "../../src/format/enrolment.ts";
import { makeSelfSigned } from "../../src/serve/tls/self-signed.ts";
import { run, ServerProcess } from "./server-process.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-tls-"));
after(() => rmSync(scratch, { recursive: true }));

it("makes its own certificate beyond loopback, once, and puts it into enrolment keys", async () => {
  const dir = join(scratch, "own");
  const certificate = join(dir, "tls", "cert.pem");
  await using first = await ServerProcess.start(["--listen", "0.0.0.0:0"], dir);
  const pem = readFileSync(certificate, "utf8");
  const hash = createHash("sha256").update(new X509Certificate(pem).raw).digest();
  assert.equal(statSync(join(dir, "tls", "key.pem")).mode & 0o777, 0o600);

  const { stdout } = await first.command("keys", "create");
  assert.deepEqual(parseEnrolmentKey(stdout).fingerprint, hash);

  const { url, token } = first;
  const env = { TALLYSTICK_URL: url, TALLYSTICK_TOKEN: token };
  const other = await makeSelfSigned(["127.0.0.1"], Date.now());
  const otherFile = join(scratch, "other.pem");
  writeFileSync(otherFile, other.certificatePem);
  const tries: [ca: string | undefined, code: number, err: RegExp][] = [
    [undefined, 1, /self-signed certificate.*, set TALLYSTICK_CA/],
    [certificate, 0, /^$/],
    [`sha256:${hash.toString("hex")}`, 0, /^$/],
    [`sha256:${"00".repeat(32)}`, 1, /shows another certificate than expected/],
    [otherFile, 1, /certificate/],
    [join(scratch, "none"), 1, /cannot read, .*ENOENT/],
  ];
  for (const [ca, code, err] of tries) {
    const given: Record<string, string> = ca === undefined ? {} : { TALLYSTICK_CA: ca };
    const ended = await run(["keys"], { ...env, ...given });
    assert.match(ended.stderr, err);
    assert.equal(ended.code, code, ca ?? "no certificate");
  }

  const plain = url.replace("https:", "http:");
  const hungUp = await run(["keys"], { ...env, TALLYSTICK_URL: plain });
  assert.match(hungUp.stderr, /\), the server speaks TLS: use https:\/\/127.0.0.1:\d+\n$/);

  const renamed = new URL(url);
  renamed.hostname = "localhost";
  const byName = await run(["keys"], {
    ...env,
    TALLYSTICK_URL: renamed.href,
    TALLYSTICK_CA: certificate,
  });
  assert.equal(byName.code, 0, byName.stderr);

  await first.stop();
  await using second = await ServerProcess.start(["--listen", "0.0.0.0:0"], dir);
  assert.equal(second.url.slice(0, 8), "https://");
  assert.equal(readFileSync(certificate, "utf8"), pem);
});

it("shows the certificate that it was given", async () => {
  const made = await makeSelfSigned(["localhost", "127.0.0.1"], Date.now());
  const [cert, key] = [join(scratch, "cert.pem"), join(scratch, "key.pem")];
  writeFileSync(cert, made.certificatePem);
  writeFileSync(key, made.keyPem);
  await using server = await ServerProcess.start(["--tls-cert", cert, "--tls-key", key]);
  const env = { TALLYSTICK_URL: server.url, TALLYSTICK_TOKEN: server.token, TALLYSTICK_CA: cert };
  const ended = await run(["keys", "create"], env);
  assert.equal(ended.code, 0, ended.stderr);
  const hash = createHash("sha256").update(new X509Certificate(made.certificatePem).raw).digest();
  assert.deepEqual(parseEnrolmentKey(ended.stdout).fingerprint, hash);
});

it("speaks plain http beyond loopback only when asked to, and on loopback by itself", async () => {
  await using wide = await ServerProcess.start(["--listen", "0.0.0.0:0", "--allow-http"]);
  assert.match(wide.url, /^http:/);
  const env = { TALLYSTICK_TOKEN: wide.token, TALLYSTICK_URL: wide.url.replace("http:", "https:") };
  const refused = await run(["keys"], env);
  assert.match(refused.stderr, /\), the server speaks plain http: use http:\/\/127.0.0.1:\d+\n$/);
  await using narrow = await ServerProcess.start();
  assert.match(narrow.url, /^http:/);
  const { stdout } = await narrow.command("keys", "create");
  assert.equal(parseEnrolmentKey(stdout).fingerprint, undefined);
});
