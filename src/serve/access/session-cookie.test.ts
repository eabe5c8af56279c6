import assert from "node:assert/strict";
import { it } from "node:test";
import { SessionCookie } from "./session-cookie.ts";

const headers: [isSecure: boolean, header: string | undefined, secret: string | undefined][] = [
  [false, "tallystick=abc", "abc"],
  [false, "a=b; tallystick=abc; c=d", "abc"],
  [false, undefined, undefined],
  [false, "", undefined],
  [false, "other=abc", undefined],
  [false, "xtallystick=abc", undefined],
  [false, "tallystick=abc; tallystick=planted", undefined],
  [true, "__Host-tallystick=abc", "abc"],
  // A host of the same domain can set this one, and not the other.
  [true, "tallystick=planted", undefined],
];
for (const [isSecure, cookie, secret] of headers) {
  it(`${isSecure ? "https" : "http"}: ${cookie} is ${secret}`, () => {
    const request = { headers: cookie === undefined ? {} : { cookie } };
    assert.equal(new SessionCookie(isSecure).read(request), secret);
  });
}
