/** A failure as a person sees it whose browser was sent here: a small page without anything active. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "./problem.ts";

/** Only where the route is one that browsers are sent to, and for who can read a page. */
export function wantsPage({ routeOptions, headers }: FastifyRequest): boolean {
  return routeOptions.config.page === true && headers.accept?.includes("text/html") === true;
}

export function sendFailurePage(
  { url }: FastifyRequest,
  reply: FastifyReply,
  { status, code, title, detail, hint, retryAfterS }: Problem,
): FastifyReply {
  if (retryAfterS !== undefined) reply.header("retry-after", String(retryAfterS));
  const lines = [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><title>Not signed in</title></head><body>',
    "<h1>Not signed in</h1>",
    `<p>${escaped(title)}: ${escaped(detail)} (${escaped(code)}).</p>`,
    `<p>What to do: ${escaped(hint)}.</p>`,
    `<p><a href="${rootFrom(url)}#signin-failed=${escaped(code)}">Back to Tallystick</a></p>`,
    "</body></html>",
  ];
  return reply
    .code(status)
    .type("text/html; charset=utf-8")
    .send(`${lines.join("\n")}\n`);
}

/** The server may stand behind a proxy, below a path that it does not know. */
function rootFrom(url: string): string {
  const [path = ""] = url.split("?");
  return "../".repeat(path.split("/").length - 2);
}

const NAMES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => NAMES[character] ?? "");
}
