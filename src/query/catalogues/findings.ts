/** What can be asked of findings. */
import { SEVERITIES } from "../../format/entry.ts";
import { FINDING_STATES } from "../../format/finding-state.ts";
import { type Catalogue, fieldsOf } from "../catalogue.ts";

/** `kinds`: all that the server can find. */
export function findingCatalogue(kinds: readonly string[]): Catalogue {
  return {
    rows: "findings",
    fields: fieldsOf({
      time: { type: "time", summary: "when it was found" },
      kind: { type: "choice", values: kinds, summary: "what was found" },
      severity: {
        type: "choice",
        values: SEVERITIES,
        ordered: true,
        summary: "how much it should worry",
      },
      state: { type: "choice", values: FINDING_STATES, summary: "whether somebody must look" },
      node: { type: "name", summary: "whom it concerns; about a pair it names none" },
      title: { type: "text", summary: "its sentence" },
      evidence: {
        type: "text",
        summary: "what it rests on, as JSON",
        // As the API answers it, it is an object.
        read: ({ evidence }) =>
          typeof evidence === "string" ? evidence : JSON.stringify(evidence ?? {}),
      },
      id: { type: "name", summary: "its id; the beginning and a star will do" },
      connection_id: { type: "name", summary: "the connection that it is about" },
      reason: { type: "text", summary: "what somebody said who excused or acknowledged it" },
      ruled_by: { type: "name", summary: "who said it" },
      ruled_until: { type: "time", summary: "when it opens again" },
    }),
    groups: new Map(),
    bare: { text: ["title", "kind", "node", "reason"] },
  };
}
