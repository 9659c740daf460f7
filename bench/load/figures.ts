// What a load comes to: rate, latencies, and what the generator itself cost.

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** The generator's share of one core. */
  readonly generatorCpu: number;
}

/** Runs `clients` loops of `once` for `seconds`; `once` answers whether it went well. */
export async function runLoad(
  clients: number,
  seconds: number,
  once: (client: number) => Promise<boolean>,
): Promise<Load> {
  const latencies: number[] = [];
  let errors = 0;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const loop = async (client: number): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now();
      if (!(await once(client))) errors += 1;
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => loop(client)));
  const tookMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return {
    requests: latencies.length,
    perSecond: latencies.length / (tookMs / 1000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    errors,
    generatorCpu: (used.user + used.system) / 1000 / tookMs,
  };
}
