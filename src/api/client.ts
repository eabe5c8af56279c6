/**
 * Calls of the public API, with the types of its routes. How they travel is handed in: `fetch` in a
 * browser, node:http in the command line.
 */
import { answerOf, type ApiResponse } from "./answer.ts";
import { type ApiRequest, type InputArguments, requestOf } from "./request.ts";
import type { Answer, CallName } from "./routes.ts";

/** Rejects where no answer came. */
export type Send = (request: ApiRequest) => Promise<ApiResponse>;

export interface Api {
  /**
   * `call("GET /nodes/{id}", { params: { id } })`. Throws `ApiProblem` where the server refuses,
   * `ForeignAnswer` where something else answered, and what `send` throws.
   */
  call<Name extends CallName>(name: Name, ...input: InputArguments<Name>): Promise<Answer<Name>>;
}

export function apiClient({ send }: { readonly send: Send }): Api {
  return {
    async call<Name extends CallName>(name: Name, ...input: InputArguments<Name>) {
      const response = await send(requestOf(name, ...input));
      // The server answers by the same table.
      return answerOf(response) as Answer<Name>;
    },
  };
}
