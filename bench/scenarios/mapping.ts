// What it costs to parse an ORU with 20 OBX and to map it: all of it that is neither the wire nor the store.
import { resolve } from 'node:path';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createMapper } from '../../engine/mapping/create-mapper.ts';
import type { Answers, Mapper } from '../../engine/mapping/mapper.ts';
import type { Figure } from '../report.ts';
import { sampleOru } from '../samples.ts';

const rounds = 3_000;
const raw = Buffer.from(sampleOru('bench', 'B000155'));
const context = { messageId: 'bench', receivedAt: 0, channel: 'bench' };
/** Of a patient who is known: the answers then change what is made. */
const known: Answers = { 'patient#patient1': [{ resourceType: 'Patient', id: 'known' }] };

export async function measureMapping(): Promise<Figure[]> {
  const mapper = await createMapper({ folder: resolve('mappings'), logger: silentLogger });
  const [fresh, again] = [medianMs(mapper, {}), medianMs(mapper, known)];
  return [
    {
      name: 'ORU with 20 OBX, parsed and mapped',
      value: fresh,
      unit: 'ms',
      target: 1,
      better: 'less',
      remarks: 'median, with the choice of the map and its questions',
    },
    {
      name: 'the same, of a patient who is known',
      value: again,
      unit: 'ms',
      target: 1,
      better: 'less',
      remarks: 'median; the answers change the subject of all that is made',
    },
  ];
}

function medianMs(mapper: Mapper, answers: Answers): number {
  const taken = Array.from({ length: rounds }, () => {
    const begin = performance.now();
    mapOnce(mapper, answers);
    return performance.now() - begin;
  });
  const warm = taken.slice(rounds / 3).sort((one, other) => one - other);
  return warm[Math.floor(warm.length / 2)] ?? 0;
}

function mapOnce(mapper: Mapper, answers: Answers): void {
  const { message } = hl7Format.parse(raw);
  if (message === undefined) throw new Error('the sample message cannot be parsed');
  const selected = mapper.select(message);
  if (selected.kind !== 'map') throw new Error('no map takes the sample message');
  const { bundle } = mapper.ask(message, selected.name, context).answered(answers);
  if (bundle === undefined) throw new Error('nothing is made of the sample message');
}
