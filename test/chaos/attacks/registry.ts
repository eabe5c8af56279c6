/** All attacks, in the order of docs/threat-model.md. */
import { alterCounters } from "./alter-counters.ts";
import type { Attack } from "./attack.ts";
import { deleteInitiator, deleteResponder } from "./delete-half.ts";

export const ATTACKS: readonly Attack[] = [deleteInitiator, deleteResponder, alterCounters];
