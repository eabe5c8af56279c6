/** Processor time of the calling thread so far, in ms: whatever else the machine does is not in it. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
