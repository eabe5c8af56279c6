/** Ingest's question "may this node join?", put to control. */
import type { Control } from "../control/control.ts";
import { ControlError } from "../control/control-error.ts";
import type { Enrol, EnrolOutcome } from "../ingest/enrol.ts";

export function enrolInto(control: Pick<Control, "enrol">): Enrol {
  return async (request) => {
    try {
      const node = await control.enrol(request);
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
    case "control_failed":
      return { outcome: "refused", code: "journal_failed", detail, retryAfterS: 5 };
    default:
      return { outcome: "refused", code: "busy", detail, retryAfterS: 5 };
  }
}
