// Resources that come in as messages: a map that the channel names reads them as $received.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createMapper } from '../../../engine/mapping/create-mapper.ts';
import { fhirFormat } from '../../../engine/messages/fhir-format.ts';
import { context } from '../../support/maps.ts';

/** As docs/channels.md has it. */
const files: Readonly<Record<string, string>> = {
  'messages/task-answer.yaml': `map: task-answer
source: the page of channels
takes: $received | fhirpath 'status'
structure: { owns: [] }
define:
  order: = $received | fhirpath 'focus.identifier.value'
steps:
  - { ask: answered, type: ServiceRequest, when: $order, query: = 'identifier=' & $orderSystem & '|' & ($order | searchValue) }
  - define: { answeredId: = $answered | fhirpath 'id' }
  - { make: Answered-Task, when: $answeredId }
`,
  'segments/Answered-Task.yaml': `resource: Task
source: the page of channels
write: merge
id: = 'fulfil-order' | id $answeredId
elements:
  status: = $received | fhirpath 'status'
  intent: order
  focus: { reference: = 'ServiceRequest/' & $answeredId }
`,
};

let overlays = '';
beforeEach(() => {
  overlays = mkdtempSync(join(tmpdir(), 'kiungo-overlays-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(overlays, 'hl7v2', file, '..'), { recursive: true });
    writeFileSync(join(overlays, 'hl7v2', file), text);
  }
});
afterEach(() => rmSync(overlays, { recursive: true }));

test('a Task that another server answers says what becomes of our order', async () => {
  const mapper = await createMapper({ folder: resolve('mappings'), overlays, logger: silentLogger });
  const task = { resourceType: 'Task', id: 'theirs', status: 'rejected', intent: 'order' };
  const raw = Buffer.from(JSON.stringify({ ...task, focus: { identifier: { value: 'ORD-5' } } }));
  const { message } = fhirFormat.parse(raw);
  const asking = mapper.ask(message!, 'task-answer', context);
  expect(asking.questions[0]).toMatchObject({
    type: 'ServiceRequest',
    query: 'identifier=urn:kiungo:order-number|ORD-5',
  });
  const order = { resourceType: 'ServiceRequest', id: 'req-5', status: 'active' } as const;
  const name = asking.questions[0]?.name ?? '';
  const { bundle, issues } = mapper.map(message!, 'task-answer', { [name]: [order] }, context);
  expect(issues).toEqual([]);
  expect(bundle?.entry?.map(({ resource }) => resource)).toMatchObject([
    { resourceType: 'Task', status: 'rejected', focus: { reference: 'ServiceRequest/req-5' } },
  ]);
});
