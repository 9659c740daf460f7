// Every HL7 sample of the shared collection, sent to the real process, ends in a state that a person would agree with.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';
import { describeWithSamples, sharedFile } from '../support/shared.ts';

/** [sample, acknowledgement, state, reason]: '' where an answer is not answered. */
const samples: [file: string, answer: string, state: string, reason: string | undefined][] = [
  ['alinitym-quant', 'AA', 'processed', undefined],
  ['cobas4800-query', 'AR', 'set-aside', 'query'],
  ['cobas5800-quant', 'AA', 'processed', undefined],
  ['cobaspure-qc', 'AA', 'processed', undefined],
  ['genexpert-oru-r30', 'AA', 'processed', undefined],
  ['mindray-bc5150-ack', '', 'set-aside', 'answer'],
  ['mindray-bc5150-orm-o01', 'AA', 'set-aside', 'query'],
  ['mindray-bc5150-orr-o02-reject', '', 'set-aside', 'answer'],
  ['mindray-bc5150-oru-r01', 'AA', 'processed', undefined],
  ['mindray-bc5380-histogram', 'AA', 'processed', undefined],
  ['mindray-bs-dsr-q03', '', 'set-aside', 'answer'],
  ['mindray-bs-qck-q02', '', 'set-aside', 'answer'],
  ['mindray-bs200-oru', 'AA', 'processed', undefined],
  ['mindray-bs200-qc', 'AA', 'processed', undefined],
  ['mindray-bs200-qry-q02', 'AA', 'set-aside', 'query'],
  ['roche-x800-him-oml-o33-cancel', 'AA', 'set-aside', 'order'],
  ['roche-x800-him-oml-o33-negative', 'AA', 'set-aside', 'order'],
  ['roche-x800-him-orl-o34-ua', '', 'set-aside', 'order-answer-unknown'],
  ['roche-x800-law-1-qbp-q11', 'AR', 'set-aside', 'query'],
  ['roche-x800-law-2-rsp-k11', '', 'set-aside', 'answer'],
  ['roche-x800-law-3-oml-o33', 'AA', 'set-aside', 'order'],
  ['roche-x800-law-4-orl-o34', '', 'set-aside', 'order-answer-unknown'],
  ['roche-x800-law-5-oul-r22', 'AA', 'processed', undefined],
  ['roche-x800-law-6-ack-r22', '', 'set-aside', 'answer'],
];

describeWithSamples('the analysers’ messages', () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine();
  }, 120_000);
  afterAll(async () => {
    await engine.stop();
  }, 60_000);

  interface Item {
    readonly state: string;
    readonly reason?: { readonly code: string };
  }
  const listed = async (query: string): Promise<{ total: number; items: Item[] }> =>
    (await (await engine.fetch(`/admin/messages?${query}`)).json()) as { total: number; items: Item[] };

  test.each(samples)(
    '%s is answered with %p and is %s (%p)',
    async (file, answer, state, reason) => {
      const { total } = await listed('_count=1');
      const client = new MllpClient(engine.mllpPort);

      const sent = client.send(sharedFile(`samples/lab/hl7/${file}.hl7`));
      if (answer === '') sent.catch(() => undefined);
      else expect(codeOf(await sent)).toBe(answer);

      await until(async () => (await listed('_count=1')).total === total + 1, 20_000, engine.output);
      await until(async () => (await listed('state=received&_count=1')).total === 0, 20_000, engine.output);
      client.close();
      const [newest] = (await listed('_count=1')).items;
      expect(newest).toMatchObject({ state, ...(reason === undefined ? {} : { reason: { code: reason } }) });
    },
    60_000,
  );
});
