/** How each topic is listed: what a query about it, a completion or a saved view goes by. */
import type { ViewTopic } from "../../api/views.ts";
import { AUDIT_LISTING } from "./audit-list.ts";
import { CONNECTION_LISTING, FINDING_LISTING } from "./connection-list.ts";
import type { Listing } from "./list-statement.ts";

export const LISTINGS = {
  connections: CONNECTION_LISTING,
  findings: FINDING_LISTING,
  audit: AUDIT_LISTING,
} as const satisfies Readonly<Record<ViewTopic, Listing>>;
