/** Ingest's question "may this node join?", put to control. */
import type { Nodes } from "../control/nodes.ts";
import { ControlError } from "../control/control-error.ts";
import { auditAddress } from "./access/principal.ts";
import type { Enrol, EnrolOutcome } from "../ingest/enrol.ts";

export function enrolInto(nodes: Pick<Nodes, "enrol">): Enrol {
  return async (request) => {
    try {
      const node = await nodes.enrol({ ...request, address: auditAddress(request.remote) });
      return { outcome: "enrolled", nodeId: node.id, name: node.name };
    } catch (error) {
      if (error instanceof ControlError) return refusalOf(error);
      throw error;
    }
  };
}

function refusalOf({ code, message: detail }: ControlError): EnrolOutcome {
  switch (code) {
    case "bad_enrolment_key":
    case "name_taken":
    case "revoked_key":
      return { outcome: "refused", code, detail };
    case "approval_needed":
      return { outcome: "refused", code, detail, retryAfterS: 15 };
    case "control_failed":
      return { outcome: "refused", code: "journal_failed", detail, retryAfterS: 5 };
    default:
      return { outcome: "refused", code: "busy", detail, retryAfterS: 5 };
  }
}
