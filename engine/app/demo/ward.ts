// The demo's ward: reads what flows tell it, as a ward's screen would.
import type { Communication } from '@medplum/fhirtypes';
import type { FhirClient } from './fhir-client.ts';
import type { Screen } from './screen.ts';

export interface Ward {
  /** What was told before is not told again. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const lookEveryMs = 1000;
const latest = 'Communication?_sort=-_lastUpdated&_count=20';

export function createWard({
  client,
  screen,
}: {
  readonly client: FhirClient;
  readonly screen: Screen;
}): Ward {
  const known = new Set<string>();
  const look = async (): Promise<readonly Communication[]> => {
    const news = (await client.search<Communication>(latest)).filter(({ id = '' }) => !known.has(id));
    for (const { id = '' } of news) known.add(id);
    return news.toReversed();
  };
  const tellNews = async (): Promise<void> => {
    // The engine may be stopping; the next look tells.
    const news = await look().catch(() => []);
    for (const { id = '', payload } of news) {
      const text = (payload?.[0]?.contentString ?? '').split('\n').slice(0, 2).join(' · ');
      screen.say(`a flow told the ward: ${text} → Communication/${id}`);
    }
  };
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  return {
    async start() {
      await look();
      timer = setInterval(() => {
        looking = looking.then(tellNews);
      }, lookEveryMs);
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
