/** Bounds of what an administrator may ask of an enrolment key. */
import { isNodeName } from "../format/enrolment.ts";
import { ControlError } from "./control-error.ts";
import { KEY_TTL_MS_MAX, KEY_TTL_MS_MIN, TAGS_MAX } from "./limits.ts";

export interface KeyRequest {
  /** Default: one node may use it. */
  readonly reusable?: boolean;
  /** A node that joins by it waits until somebody lets it in. Default: it is let in at once. */
  readonly needsApproval?: boolean;
  /** Default: a day. */
  readonly ttlMs?: number;
  /** What nodes that join by it are tagged with. */
  readonly tags?: readonly string[];
}

/** Throws `bad_ttl`, `bad_tag`. */
export function checkKeyRequest({ ttlMs, tags = [] }: KeyRequest): void {
  if (ttlMs !== undefined && !(ttlMs >= KEY_TTL_MS_MIN && ttlMs <= KEY_TTL_MS_MAX)) {
    throw new ControlError("bad_ttl", "a key lives at least 1 second and at most 366 days");
  }
  checkTags(tags);
}

/** Throws `bad_tag`. */
export function checkTags(tags: readonly string[]): void {
  const bad = tags.find((tag) => !isNodeName(tag));
  if (bad !== undefined || tags.length > TAGS_MAX) {
    throw new ControlError(
      "bad_tag",
      `at most ${TAGS_MAX} tags of letters, digits, dots, dashes and underscores`,
    );
  }
}
