import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { AuditEntry, ServerEntry } from "../format/entry.ts";
import { ManualClock } from "../std/clock.ts";
import { Control } from "./control.ts";
import { ControlError } from "./control-error.ts";
import type { Who } from "./who.ts";

const OWNER: Who = {
  actor: { type: "user", id: "u1", name: "ada" },
  address: "127.0.0.1",
  origin: "cli",
};
const directory = mkdtempSync(join(tmpdir(), "settings-"));
after(() => rmSync(directory, { recursive: true }));

function opened(file: string): { control: Control; audit: AuditEntry[] } {
  const audit: AuditEntry[] = [];
  const control = Control.open({
    file: join(directory, file),
    clock: new ManualClock(),
    append: async (entries: readonly ServerEntry[]) => {
      audit.push(...entries.flatMap((entry) => (entry.kind === "audit" ? [entry] : [])));
      return { index: audit.length };
    },
    chainEnd: async () => ({ epoch: 0, batches: 0 }),
    onFatal: (error) => assert.fail(error),
  });
  return { control, audit };
}

describe("a setting", () => {
  it("has its default until somebody chooses, and then that, also after a restart", async () => {
    const { control, audit } = opened("chosen.sqlite");
    assert.equal(control.settings.get("audit_days"), 90);
    await control.settings.change({ audit_days: 30 }, OWNER);
    await control.settings.change({ audit_days: 365 }, OWNER);
    assert.deepEqual(
      audit.map(({ action, target, changes, actor }) => [action, target.id, changes, actor.name]),
      [
        ["setting.change", "audit_days", [{ property: "audit_days", old: 90, new: 30 }], "ada"],
        ["setting.change", "audit_days", [{ property: "audit_days", old: 30, new: 365 }], "ada"],
      ],
    );
    await control.close();
    const again = opened("chosen.sqlite");
    assert.deepEqual(again.control.settings.all(), { audit_days: 365 });
    await again.control.close();
  });

  it("that is so already leaves no entry", async () => {
    const { control, audit } = opened("same.sqlite");
    assert.deepEqual(await control.settings.change({ audit_days: 90 }, OWNER), { audit_days: 90 });
    assert.deepEqual(audit, []);
    await control.close();
  });

  for (const value of [0, 6, 3_661, 7.5, -90, Number.NaN, Infinity]) {
    it(`is not ${value}, and the attempt is on record`, async () => {
      const { control, audit } = opened(`bad${value}.sqlite`);
      await assert.rejects(
        control.settings.change({ audit_days: value }, OWNER),
        (error) => error instanceof ControlError && error.code === "bad_setting",
      );
      assert.equal(control.settings.get("audit_days"), 90);
      assert.deepEqual(
        audit.map(({ outcome, code, changes }) => [outcome, code, changes]),
        [["refused", "bad_setting", []]],
      );
      await control.close();
    });
  }
});
