/** `tallystick login`, `logout`: a person signs in, and the command line goes on with an API token of theirs. */
import { hostname } from "node:os";
import { text } from "node:stream/consumers";
import type { Profile as SignedIn } from "../../api/accounts.ts";
import { CommandError } from "../../std/command-error.ts";
import { type Call, command, type Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { ApiClient } from "../api-client.ts";
import { humanTime } from "../human.ts";
import { type Profile, readProfile, removeProfile, writeProfile } from "../profile.ts";
import { Questions } from "../questions.ts";
import { checkToken, remoteOf, remoteOptions, signInRemote } from "../remote-options.ts";
import { shownOnce } from "../shown-once.ts";

type LoginCall = Pick<Call<OptionTable>, "json" | "printJson" | "say" | "terminal">;

const options = {
  link: { type: "flag", summary: "by a one-time link, which it asks for" },
  tokenStdin: { type: "flag", summary: "take an API token from stdin instead of signing in" },
  url: remoteOptions.url,
  ca: remoteOptions.ca,
} as const;

const login = command({
  name: "login",
  summary: "sign in; later commands of this account need no token",
  options,
  async run(call) {
    const { link, tokenStdin, url, ca } = call.options;
    if (link && tokenStdin) {
      throw new CommandError("wrong_usage", "--link and --token-stdin exclude each other");
    }
    const remote = signInRemote({ url, ca });
    const given = tokenStdin ? checkToken(await text(process.stdin)) : undefined;
    const api = new ApiClient(() => (given === undefined ? remote : { ...remote, token: given }));
    try {
      const place = { url: remote.url.origin, ...(ca === undefined ? {} : { ca }) };
      if (given === undefined) await signInPerson(call, api, { place, isByLink: link });
      else await keep(call, { ...place, token: given }, await api.call("GET /profile"));
    } finally {
      api.close();
    }
  },
});

async function signInPerson(
  call: LoginCall,
  api: ApiClient,
  { place, isByLink }: { place: Omit<Profile, "token">; isByLink: boolean },
): Promise<void> {
  using questions = new Questions({ input: process.stdin, output: process.stderr });
  const signedIn = isByLink ? await useLink(questions, api) : await usePassword(questions, api);
  if (signedIn.second_factor_needed) await setUpTotp(call, questions, api);
  const name = hostname().slice(0, 63) || "command line";
  const made = await api.call("POST /tokens", { body: { name } });
  const { token, expires_at: endsAt } = made;
  const before = readProfile(call.terminal.env);
  await keep(call, { ...place, token: shownOnce(token) }, signedIn, endsAt);
  if (before?.url === place.url) await revoke(api, before.token).catch(() => undefined);
  await api.call("POST /signout");
}

async function usePassword(questions: Questions, api: ApiClient): Promise<SignedIn> {
  const name = await questions.ask("Name: ");
  const password = await questions.askHidden("Password: ");
  const code = await questions.ask("Code (empty before there is a second factor): ");
  return api.signIn("POST /signin", {
    body: { name, password, code: code === "" ? undefined : code },
  });
}

async function useLink(questions: Questions, api: ApiClient): Promise<SignedIn> {
  const link = await questions.askHidden("One-time link: ");
  const token = link.trim().replace(/^.*#signin=/, "");
  const name = await questions.ask("Name: ");
  const password = await questions.askHidden("New password, 12 characters at least: ");
  if ((await questions.askHidden("Once more: ")) !== password) {
    throw new CommandError(
      "command_failed",
      "two different passwords, nothing was done, begin anew",
    );
  }
  return api.signIn("POST /signin/link", { body: { token, name, password } });
}

async function setUpTotp(call: LoginCall, questions: Questions, api: ApiClient): Promise<void> {
  const tell = (line: string) => call.terminal.err(`${line}\n`);
  const begun = await api.call("POST /profile/totp", { body: {} });
  tell("A second factor is needed. Enter this secret into an authenticator:");
  tell(`  ${begun.secret}`);
  tell(`  ${begun.uri}`);
  const code = await questions.ask("Code that it shows: ");
  const { recovery_codes: codes } = await api.call("POST /profile/totp/confirm", {
    body: { code },
  });
  tell("Keep these codes; each lets you in once, without the authenticator:");
  for (const each of shownOnce(codes)) tell(`  ${each}`);
}

async function keep(
  call: LoginCall,
  profile: Profile,
  { name, role }: SignedIn,
  endsAt?: string,
): Promise<void> {
  const file = writeProfile(call.terminal.env, profile);
  const { url } = profile;
  if (call.json) return call.printJson({ url, name, role, profile: file });
  const until = endsAt === undefined ? "" : `, until ${humanTime(endsAt)}`;
  call.say(`signed in at ${url} as ${name} (${role})${until}; the token is in ${file}`);
}

const logout = command({
  name: "logout",
  summary: "forget the account's profile, and revoke its token",
  options: {},
  async run(call) {
    const { env } = call.terminal;
    const profile = readProfile(env);
    if (profile === undefined) {
      throw new CommandError(
        "command_failed",
        "nobody is signed in here, sign in with `tallystick login`",
      );
    }
    const values = { url: undefined, token: undefined, ca: undefined, data: undefined };
    const api = new ApiClient(() => remoteOf(values, env));
    try {
      // Also where the server does not answer: whoever leaves wants nothing left here.
      await revoke(api, profile.token);
    } finally {
      removeProfile(env);
      api.close();
    }
    if (call.json) call.printJson({ url: profile.url });
    else call.say(`signed out of ${profile.url}`);
  },
});

async function revoke(api: ApiClient, token: string): Promise<void> {
  const [, id = ""] = token.split(".");
  await api.call("DELETE /tokens/{id}", { params: { id } });
}

export const loginCommands: readonly Command[] = [login, logout];
