// A process of its own that writes without end and says what was acknowledged, so that a test can end it at any moment.
// Arguments: the database file, and the number of writers. Each line of output is a resource or message that is durable.
import { silentLogger } from '../../engine/kernel/logger.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';

const [file = '', writers = '1'] = process.argv.slice(2);
const store = await openSqliteStore({ file, clock: { now: () => 0 }, logger: silentLogger });

async function writeOne(id: string): Promise<void> {
  await store.transact(async ({ resources, messages }) => {
    const body = JSON.stringify({ resourceType: 'Observation', id, text: 'x'.repeat(1000) });
    const version = { type: 'Observation', id, version: 1, lastUpdated: 1, method: 'PUT', body } as const;
    const token = { kind: 'token', parameter: 'Observation.code', system: 's', code: id } as const;
    await resources.write(version, [token], []);
    await messages.enqueue({
      id,
      destination: 'send:his',
      lane: 'his',
      createdAt: 1,
      contentType: 'text/plain',
      payload: Buffer.from(id),
      cause: id,
    });
  });
  process.stdout.write(`${id}\n`);
}

async function writeOn(writer: number): Promise<void> {
  for (let count = 0; ; count += 1) await writeOne(`w${writer}-${count}`);
}

try {
  await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => writeOn(writer)));
} catch (error) {
  const read = await store.resources.read('Observation', 'w0-0');
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  process.stderr.write(`${code} ${read?.version}\n`);
  process.exit(7);
}
