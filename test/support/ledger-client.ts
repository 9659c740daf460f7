// A client that changes what is its own by transactions, one after the other, and knows what each of them must have left behind: so a
// transaction of which only a part was kept shows.
import type { Basic, Bundle, BundleEntry, Observation, Resource } from '@medplum/fhirtypes';
import type { RunningEngine } from './engine-process.ts';

/** Observations that each transaction creates; the next one deletes two of them. */
const created = 4;
const deletedByNext = 2;
const system = 'urn:test:ledger';

export interface LedgerClient {
  readonly name: string;
  /** Transactions that were answered with 200. */
  acknowledged: number;
  /** Transactions that were sent. */
  sent: number;
}

export const ledgerClient = (name: string): LedgerClient => ({ name, acknowledged: 0, sent: 0 });

/** Sends transactions until the connection is lost. Throws when one is refused. */
export async function transactUntilCut(engine: RunningEngine, client: LedgerClient): Promise<void> {
  for (;;) {
    client.sent = client.acknowledged + 1;
    const status = await statusOrLost(engine, transaction(client.name, client.sent));
    if (status === 'lost') return;
    if (status !== 200) throw new Error(`transaction ${client.sent} of ${client.name} got ${status}`);
    client.acknowledged = client.sent;
  }
}

async function statusOrLost(engine: RunningEngine, bundle: Bundle): Promise<number | 'lost'> {
  try {
    const response = await engine.fetch('/fhir/R4', {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(bundle),
    });
    await response.text();
    return response.status;
  } catch {
    return 'lost';
  }
}

/** Number `number` of a client: an update, a conditional update, creations, a creation that others want too, and deletions. */
function transaction(client: string, number: number): Bundle {
  const identifier = (value: string): { readonly identifier: { system: string; value: string }[] } => ({
    identifier: [{ system, value }],
  });
  const subject = { reference: 'urn:uuid:10000000-0000-4000-8000-000000000001' };
  const code = { text: 'ledger' };
  const observation = (value: string): Resource => ({
    ...{ resourceType: 'Observation', status: 'final', code, subject, ...identifier(value) },
  });
  const deletion = (value: string): BundleEntry => ({
    request: { method: 'DELETE', url: `Observation?identifier=${system}|${value}` },
  });
  const creation = (place: number): BundleEntry => ({
    resource: observation(`${client}-${number}-${place}`),
    request: { method: 'POST', url: 'Observation' },
  });
  const shared = `shared-${Math.ceil(number / 2)}`;
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: subject.reference,
        resource: { resourceType: 'Patient', ...identifier(shared) },
        request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|${shared}` },
      },
      {
        resource: { resourceType: 'Basic', id: client, code, ...identifier(String(number)) },
        request: { method: 'PUT', url: `Basic/${client}` },
      },
      {
        resource: { resourceType: 'Basic', code: { text: String(number) }, ...identifier(`${client}-by-condition`) },
        request: { method: 'PUT', url: `Basic?identifier=${system}|${client}-by-condition` },
      },
      ...Array.from({ length: created }, (_, place) => creation(place)),
      ...(number === 1
        ? []
        : Array.from({ length: deletedByNext }, (_, place) => deletion(`${client}-${number - 1}-${place}`))),
    ],
  }; // prettier-ignore
}

/**
 * Looks at everything that a client has left, says what disagrees, and lets the client go on from what is there: from the last
 * transaction that was answered, or from the one that was under way.
 */
export async function takeStock(engine: RunningEngine, client: LedgerClient): Promise<readonly string[]> {
  const { name, acknowledged, sent } = client;
  const ledger = (await read(engine, `Basic/${name}`)) as { identifier?: { value: string }[] } | undefined;
  const kept = Number(ledger?.identifier?.[0]?.value ?? 0);
  const problems: string[] = [];
  if (kept !== acknowledged && kept !== sent) {
    problems.push(`${name} has ${kept}; ${acknowledged} were acknowledged, ${sent} sent`);
  }
  const byCondition = await values(
    engine,
    `Basic?identifier=${system}|${name}-by-condition`,
    (one) => (one as Basic).code.text ?? '',
  );
  expectSame(problems, `${name} by condition`, byCondition, kept === 0 ? [] : [String(kept)]);
  for (const number of [kept - 1, kept, kept + 1]) {
    const found = await values(engine, `Observation?identifier=${asked(name, number)}`, identifierOf);
    expectSame(problems, `${name} ${number}`, found, left(name, number, kept));
  }
  client.acknowledged = kept;
  return problems;
}

/** How many Observations all clients together must have, and how many of the shared Patients. */
export function wholeOf(clients: readonly LedgerClient[]): { readonly observations: number; readonly patients: number } {
  const observations = clients.reduce((sum, { acknowledged: kept }) => sum + (kept === 0 ? 0 : (kept - 1) * (created - deletedByNext) + created), 0);
  return { observations, patients: Math.max(...clients.map(({ acknowledged }) => Math.ceil(acknowledged / 2))) };
} // prettier-ignore

const namesOf = (client: string, number: number): readonly string[] =>
  Array.from({ length: created }, (_, place) => `${client}-${number}-${place}`);

const asked = (client: string, number: number): string =>
  namesOf(client, number)
    .map((name) => `${system}|${name}`)
    .join(',');

function left(client: string, number: number, kept: number): readonly string[] {
  if (number < 1 || number > kept) return [];
  return namesOf(client, number).slice(number < kept ? deletedByNext : 0);
}

function expectSame(
  problems: string[],
  what: string,
  found: readonly string[],
  wanted: readonly string[],
): void {
  if (found.toSorted().join() === wanted.toSorted().join()) return;
  problems.push(`${what}: found ${found.join() || 'nothing'}, expected ${wanted.join() || 'nothing'}`);
}

const identifierOf = (resource: Resource): string => (resource as Observation).identifier?.[0]?.value ?? '';

async function values(engine: RunningEngine, search: string, valueOf: (one: Resource) => string): Promise<readonly string[]> {
  const bundle = (await read(engine, `${search}&_count=100`)) as Bundle;
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource ? valueOf(resource) : []));
} // prettier-ignore

async function read(engine: RunningEngine, path: string): Promise<object | undefined> {
  const response = await engine.fetch(`/fhir/R4/${path}`);
  const body = (await response.json()) as object;
  return response.status === 404 ? undefined : body;
}
