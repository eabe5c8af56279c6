/** What came back from the public API: an answer, or why there is none. */

export interface ApiResponse {
  readonly status: number;
  /** As text. */
  readonly body: string;
  /** The header `Retry-After`, where there is one. */
  readonly retryAfter?: string | undefined;
}

/** The server says no: RFC 9457 with a code of docs/errors.md. */
export class ApiProblem extends Error {
  readonly status: number;
  /** A newer server may have more of them than we know. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** What to do. */
  readonly hint: string;
  /** Of `bad_query`: where it is wrong, UTF-16 offsets, `to` exclusive. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Seconds after which it is worth another try, where that is known. */
  readonly retryAfterS: number | undefined;

  constructor(response: ApiResponse, said: Readonly<Record<string, unknown>>) {
    const { code, title, detail, hint } = said;
    super(`${String(title)}, ${String(detail)}, ${String(hint)} (${String(code)})`);
    this.name = "ApiProblem";
    this.status = response.status;
    this.code = String(code);
    this.title = String(title);
    this.detail = String(detail);
    this.hint = String(hint);
    this.from = naturalOf(said["from"]);
    this.to = naturalOf(said["to"]);
    this.retryAfterS = secondsOf(response.retryAfter);
  }
}

/** Something else than a server of ours answered: a proxy, or another program at that address. */
export class ForeignAnswer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`answered ${status}, not as the API does`);
    this.name = "ForeignAnswer";
    this.status = status;
  }
}

export function isSuccess({ status }: Pick<ApiResponse, "status">): boolean {
  return status >= 200 && status < 300;
}

const NO_CONTENT = 204;

/** `undefined` where there is nothing to say. Throws `ApiProblem`, `ForeignAnswer`. */
export function answerOf(response: ApiResponse): unknown {
  if (!isSuccess(response)) throw failureOf(response);
  if (response.status === NO_CONTENT) return undefined;
  try {
    return JSON.parse(response.body) as unknown;
  } catch {
    throw new ForeignAnswer(response.status);
  }
}

/** Of an answer that is no success. */
export function failureOf(response: ApiResponse): ApiProblem | ForeignAnswer {
  try {
    const said = JSON.parse(response.body) as Readonly<Record<string, unknown>> | null;
    if (typeof said?.["title"] === "string") return new ApiProblem(response, said);
  } catch {
    // It is no JSON, and so not ours.
  }
  return new ForeignAnswer(response.status);
}

function naturalOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The header may be a date instead, which our server never sends. */
function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
