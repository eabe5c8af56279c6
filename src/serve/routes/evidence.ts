/** `/api/v1/findings/{id}/evidence`: the file that stands on its own. */
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { evidenceChunks } from "../../evidence/file.ts";
import { gatherEvidence } from "../../evidence/gather.ts";
import { exports } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { findingIdOf } from "../query/id-prefix.ts";
import { ServeError } from "../serve-error.ts";

const TEXT = "text/plain; charset=utf-8";
/** Each holds some 20 MB, and reads what may be cold. */
const EXPORTS_AT_ONCE_MAX = 2;

export function evidenceRoutes(api: ApiScope, { evidence, store }: ApiParts): void {
  let running = 0;
  api.route(
    "GET /findings/{id}/evidence",
    exports("export", "finding.export"),
    async ({ params, gone }, reply) => {
      const id = await findingIdOf(store, params.id);
      if (running >= EXPORTS_AT_ONCE_MAX) {
        throw new ServeError("evidence_busy", `${running} exports are under way`);
      }
      running++;
      // Until the last byte has left: a slow reader holds the file as well.
      reply.raw.once("close", () => running--);
      // Ingest shares this thread: it gets its turn after every batch. Who is gone needs no more of them.
      const turn = (): Promise<void> => {
        gone.throwIfAborted();
        return nextTurn();
      };
      const data = await gatherEvidence(evidence, id, turn);
      if (data === undefined)
        throw new ServeError("unknown_finding", `no finding has the id ${id}`);
      reply.header("content-disposition", `attachment; filename="finding-${id}.evidence.txt"`);
      return reply.type(TEXT).send(Readable.from(evidenceChunks(data, turn)));
    },
  );
}
