/** The kinds of finding that the lab asks for, by what they mean to it: the one place to follow a renaming. */
export const KIND = {
  missing: "missing-half",
  differs: "counters-differ",
  accused: "accused",
  silent: "silent",
  lostSpool: "lost-spool",
  hole: "undeclared-hole",
  rollback: "rollback",
  longRestart: "long-restart",
  optedOut: "opted-out",
  contested: "contested-address",
  backDated: "back-dated",
  gapAbuse: "gap-abuse",
  clockStep: "clock-step",
  replayed: "replayed",
  fork: "fork",
  forged: "forged",
} as const;
