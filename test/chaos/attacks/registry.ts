/** All attacks, in the order of docs/threat-model.md. */
import { abuseGap } from "./abuse-gap.ts";
import { alterCounters } from "./alter-counters.ts";
import type { Attack } from "./attack.ts";
import { backDate } from "./back-date.ts";
import { deleteInitiator, deleteResponder } from "./delete-half.ts";
import { destroySpool, skipNumbers } from "./destroy-spool.ts";
import { forgeBatch, forkChain, replayBatch } from "./false-frames.ts";
import { alterWithin, collude, deleteAttempt, frameByMany, unmonitoredPeer } from "./hidden.ts";
import { framePeer, inventHalf } from "./invent-half.ts";
import { lieAsARouter } from "./lie-as-router.ts";
import { optOutToHide } from "./opt-out-to-hide.ts";
import { stealAddress } from "./steal-address.ts";
import { dropBatch, goSilent, reorderBatches } from "./withhold.ts";

export const ATTACKS: readonly Attack[] = [
  deleteInitiator,
  deleteResponder,
  alterCounters,
  inventHalf,
  framePeer,
  lieAsARouter,
  destroySpool,
  skipNumbers,
  dropBatch,
  replayBatch,
  reorderBatches,
  forkChain,
  forgeBatch,
  backDate,
  goSilent,
  optOutToHide,
  abuseGap,
  stealAddress,
  collude,
  unmonitoredPeer,
  deleteAttempt,
  alterWithin,
  frameByMany,
];
