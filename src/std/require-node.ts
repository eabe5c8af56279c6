/**
 * The first import of each program: says in one line that this Node is too old, before anything is
 * loaded that only a newer one has. In the agent's one file it runs before all else.
 */
const NODE_MIN = [24, 12] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  const program = /([^/\\]+?)(?:\.m?[jt]s)?$/.exec(process.argv[1] ?? "")?.[1] ?? "tallystick";
  process.stderr.write(
    `${program}: needs Node ≥ ${NODE_MIN.join(".")}, this is v${process.versions.node}, start it with a newer one\n`,
  );
  process.exit(1);
}
