/**
 * The folders of src in the order in which an entry travels through them. A file may import from
 * its own folder and from the folders before it; what a later stage must reach is handed in by bin/.
 */
export interface Stage {
  readonly folder: string;
  /** The only other folders that it may import, where being earlier is not enough. */
  readonly imports?: readonly string[];
  /** Runs on other machines and is part of nothing else: no other stage may import it. */
  readonly isApart?: true;
  /** May import npm packages; the others have Node alone. */
  readonly hasPackages?: true;
}

/** The order. A new folder in src is listed here first. */
export const stages: readonly Stage[] = [
  // What could have been in Node. Nothing of ours.
  { folder: "std" },
  // The nouns and their bytes, shared by agent, server, verifier and browser.
  { folder: "format" },
  // The query language; the console and the CLI read it too.
  { folder: "query", hasPackages: true },
  // What the public API takes and answers, and its client: server, CLI and console follow from it.
  { folder: "api", imports: ["format", "query", "std"], hasPackages: true },
  // On the nodes, shipped as one file.
  { folder: "agent", imports: ["format", "query", "std"], isApart: true },
  // The server, in the order of an entry's way.
  { folder: "ingest", hasPackages: true },
  { folder: "journal", hasPackages: true },
  { folder: "ledger", hasPackages: true },
  { folder: "store", hasPackages: true },
  { folder: "reconcile", hasPackages: true },
  // Files of evidence, made by the server and checked by strangers: it knows no other stage's rooms.
  { folder: "evidence", imports: ["format", "std"] },
  { folder: "detect", hasPackages: true },
  { folder: "control", hasPackages: true },
  { folder: "stream", hasPackages: true },
  { folder: "serve", hasPackages: true },
  // The commands of `tallystick`: they ask the public API, and one of them starts the server.
  { folder: "cli", imports: ["format", "query", "api", "std", "evidence", "serve"] },
  // In the browser.
  {
    folder: "console",
    imports: ["format", "query", "api", "std"],
    isApart: true,
    hasPackages: true,
  },
];
