/** What a part of the lab costs: the parts share the machine's cores, so time alone tells nothing. */

/** Processor time of the calling thread. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
