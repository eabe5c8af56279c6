/** All routes × all roles × no credential × an expired and a revoked one: access, and the entry that each must leave. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { mayRole, type Role, ROLES } from "../../src/api/roles.ts";
import { Person, tell, type Told } from "./person.ts";
import { type ExpectedRoute, named, pathOf, ROUTES } from "./route-table.ts";
import { ServerProcess } from "./server-process.ts";

interface Caller {
  readonly title: string;
  /** Each comes from an address of its own: guessing is another test's subject. */
  readonly from: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Who it is, where the credential counts. */
  readonly is?: { readonly role: Role; readonly actorId: string };
  readonly needsSecondFactor?: true;
}

interface Walked {
  readonly route: ExpectedRoute;
  readonly caller: Caller;
  readonly told: Told;
}

let server: ServerProcess;
let callers: Caller[] = [];
const walked: Walked[] = [];

before(async () => {
  server = await ServerProcess.start();
  callers = await everyCaller();
  for (const [at, caller] of callers.entries()) {
    for (const route of ROUTES) {
      const saysName = route.access === "sign-in" && "name" in (route.body ?? {});
      const body = saysName ? { ...route.body, name: `nobody-${at}` } : route.body;
      const { headers, from } = caller;
      const told = await tell(server.url, [route.method, pathOf(route)], { headers, body, from });
      walked.push({ route, caller, told });
    }
  }
});
after(() => server[Symbol.asyncDispose]());

async function everyCaller(): Promise<Caller[]> {
  const known = await everyCredential();
  return known.map((caller, at) => ({ ...caller, from: `127.0.1.${at + 1}` }));
}

async function everyCredential(): Promise<Omit<Caller, "from">[]> {
  const people: Omit<Caller, "from">[] = [];
  for (const role of ROLES) {
    const { id, headers } = await Person.join(server, `a-${role}`, role);
    people.push({ title: role, headers, is: { role, actorId: id } });
  }
  const fresh = await Person.invited(server, "fresh", "owner");
  const gone = await Person.join(server, "gone", "owner");
  const expired = bearer(
    await gone.token({ expires_at: new Date(Date.now() + 2_000).toISOString() }),
  );
  const [revoked, revokedToken] = [gone.headers, bearer(await gone.token())];
  await server.until(
    () => tell(server.url, ["GET", "/api/v1/profile"], { headers: expired }),
    ({ status }) => status === 401,
  );
  const { items } = (
    await gone.call<{ items: { id: string; state: string }[] }>("GET", "/api/v1/tokens")
  ).body;
  const usable = items.find(({ state }) => state === "usable");
  assert.equal((await gone.call("DELETE", `/api/v1/tokens/${usable?.id}`)).status, 200);
  assert.equal((await gone.call("POST", "/api/v1/signout")).status, 204);
  return [
    ...people,
    {
      title: "an owner without a second factor",
      headers: fresh.headers,
      is: { role: "owner", actorId: fresh.id },
      needsSecondFactor: true,
    },
    { title: "no credential", headers: json },
    { title: "an expired token", headers: expired },
    { title: "a revoked token", headers: revokedToken },
    { title: "a session that was ended", headers: revoked },
  ];
}

const json = { "content-type": "application/json" } as const;

function bearer(token: string) {
  return { ...json, authorization: `Bearer ${token}` };
}

/** [status, code]; the code is the route's own affair where the caller may call it. */
function expected({ access, ...route }: ExpectedRoute, caller: Caller): [number, string?] {
  if (access === "public" || access === "sign-in") return [route.answer];
  if (caller.is === undefined) return [401, "unauthorized"];
  const isAllowed = access === "self" || mayRole(caller.is.role, access);
  if (caller.needsSecondFactor === true && route.beforeSecondFactor !== true) {
    return [403, "second_factor_needed"];
  }
  return isAllowed ? [route.answer] : [403, "forbidden"];
}

describe("every route", () => {
  it("is in the table, and nothing else is", async () => {
    const { body } = await server.call<{ paths: Record<string, object> }>(
      "GET",
      "/api/v1/openapi.json",
    );
    const described = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(described.toSorted(), ROUTES.map(named).toSorted());
  });

  it("describes each problem that it answered", async () => {
    const { body } = await server.call<Described>("GET", "/api/v1/openapi.json");
    const missing = walked.flatMap(({ route, told }) => {
      if (told.code === "") return [];
      const { responses } = body.paths[route.path]?.[route.method.toLowerCase()] ?? {};
      const answer = responses?.[told.status]?.content["application/problem+json"];
      const codes = answer?.schema.allOf[1].properties.code.enum ?? [];
      return codes.includes(told.code) ? [] : [`${named(route)}: ${told.status} ${told.code}`];
    });
    // They are listed in src/serve/route-problems.ts.
    assert.deepEqual([...new Set(missing)], []);
  });

  for (const route of ROUTES) {
    it(`lets in whom it may: ${named(route)}`, () => {
      const of = walked.filter((each) => each.route === route);
      assert.equal(of.length, callers.length);
      for (const { caller, told } of of) {
        // It begins to set up its second factor, without a password that it would have to repeat.
        const isFresh = caller.needsSecondFactor === true && route.path.endsWith("/profile/totp");
        const [status, code = told.code] = isFresh ? [200] : expected(route, caller);
        const got = [told.status, told.code];
        assert.deepEqual(got, [status, code], `${caller.title}: ${JSON.stringify(told.body)}`);
      }
    });
  }
});

/** What the description says of problems. */
interface Described {
  readonly paths: Record<string, Record<string, { responses?: Record<number, ProblemAnswer> }>>;
}

interface ProblemAnswer {
  readonly content: Record<string, { schema: { allOf: [object, CodeSchema] } }>;
}

interface CodeSchema {
  readonly properties: { readonly code: { readonly enum: readonly string[] } };
}

interface Entry {
  readonly address: string;
  readonly actor_id: string;
  readonly action: string;
  readonly is_read: number;
  readonly outcome: string;
  readonly code: string;
  /** Of a tail: open or closed. */
  readonly state: string;
}

/** `action outcome code` of what a call must leave. */
function entriesOf({ route, told }: Pick<Walked, "route" | "told">): string[] {
  const [kind, action = ""] = route.audit.split(" ");
  if (kind === "none") return [];
  const isGuarded = ["forbidden", "unauthorized", "second_factor_needed"].includes(told.code);
  const refused = told.status >= 400 ? [`${action} refused ${told.code}`] : [];
  // Which topic is asked for is known only to who is let in.
  if (kind === "tail") {
    const tail = [`${action} read open`, `${action} read closed`];
    return isGuarded ? [`events.tail refused ${told.code}`] : tail;
  }
  if (kind === "attempt") return refused;
  if (kind === "change") return refused.length > 0 ? refused : [`${action} done `];
  return isGuarded ? refused : [`${action} read `, ...refused];
}

/** What the walk left, as the store shows it when it has all of it. */
async function entries(): Promise<Entry[]> {
  const sql = `SELECT address, actor_id, action, is_read, outcome, code,
    JSONExtractString(facts, 'state') AS state FROM audit
    WHERE startsWith(address, '127.0.1.') OR target = 'marker' ORDER BY journal_index`;
  const read = async (): Promise<Entry[]> => {
    const { body } = await server.call<{ columns: { name: string }[]; rows: unknown[][] }>(
      "POST",
      "/api/v1/sql",
      { sql },
    );
    const names = body.columns.map(({ name }) => name);
    return body.rows.map(
      (row) => Object.fromEntries(names.map((name, at) => [name, row[at]])) as unknown as Entry,
    );
  };
  // It comes after all others.
  assert.equal((await server.call("POST", "/api/v1/nodes/marker/revoke")).status, 404);
  return server.until(read, (found) => found.some((one) => one.actor_id === "admin"));
}

describe("the audit", () => {
  it("has of each person exactly the entries that their calls must leave", async () => {
    const all = await entries();
    for (const caller of callers.filter(({ is }) => is !== undefined)) {
      const of = walked.filter((each) => each.caller === caller);
      // A histogram is a read of its list, and what is alike folds.
      const must = [...new Set(of.flatMap(entriesOf))];
      const has = all
        .filter(({ actor_id }) => actor_id === caller.is?.actorId)
        .map(({ action, is_read, outcome, code, state }) => {
          return is_read === 1 ? `${action} read ${state}` : `${action} ${outcome} ${code}`;
        });
      const own = must.filter((entry) => !isNobodys(entry));
      assert.deepEqual(has.toSorted(), own.toSorted(), caller.title);
    }
  });

  it("has of those who are nobody one entry for each action and address", async () => {
    const all = (await entries()).filter(({ actor_id }) => actor_id === "");
    const nobodys = walked.filter(({ caller, route }) => {
      return caller.is === undefined || route.access === "sign-in";
    });
    const must = nobodys.flatMap((each) =>
      entriesOf(each).map((entry) => `${each.caller.from} ${entry}`),
    );
    assert.ok(must.length > 100);
    const has = all.map(({ address, action, outcome, code }) => {
      return `${address} ${action} ${outcome} ${code}`;
    });
    // Several routes have one action, and what is alike folds.
    assert.deepEqual(has.toSorted(), [...new Set(must)].toSorted());
  });
});

/** Whoever signs in is nobody until then, whatever session the browser has. */
function isNobodys(entry: string): boolean {
  return /^(?:session\.create|signin_link\.use) refused /.test(entry);
}
