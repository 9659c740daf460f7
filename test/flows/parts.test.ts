// The small parts: lines of the channel, property insertion, requests of a process that is not trusted, the list of left-out nodes.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createChannel, type ChannelEnds } from '../../flows/channel.ts';
import { excludedNodes } from '../../flows/excluded-nodes.ts';
import { questions } from '../../flows/inside/insert.ts';
import { createPortRequests } from '../../flows/outside/port-requests.ts';
import { createMemoryPort } from './memory-port.ts';

describe('the channel', () => {
  const ends = (more: Partial<ChannelEnds>): ChannelEnds => ({
    parse: JSON.parse,
    stringify: JSON.stringify,
    answer: async (_method, params) => params,
    notice: () => undefined,
    ended: () => undefined,
    ...more,
  });
  /** A stream that is fed by hand. */
  const pipe = (): { stream: Duplex; written: () => string } => {
    let text = '';
    const stream = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    return { stream, written: () => text };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  test('reads lines however they are cut', async () => {
    const bytes = Buffer.from('{"notice":"a","params":"é"}\n{"notice":"b","params":"ü"}\n');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const heard: unknown[] = [];
      const { stream } = pipe();
      createChannel(stream, ends({ notice: (name, params) => heard.push([name, params]) }));
      stream.push(bytes.subarray(0, cut));
      stream.push(bytes.subarray(cut));
      await new Promise(setImmediate);
      expect(heard).toEqual([
        ['a', 'é'],
        ['b', 'ü'],
      ]);
    }
  });

  test.each([
    ['no JSON', 'nonsense\n', 'a line could not be read'],
    ['no object', '1\n', 'a line could not be read'],
    ['no meaning', '{}\n', 'a line could not be read'],
    ['no end', 'x'.repeat(17 * 1024 * 1024), 'a line was too long'],
  ])('ends at a line with %s', async (_what, text, reason) => {
    const ended: string[] = [];
    const { stream } = pipe();
    createChannel(stream, ends({ ended: (why) => ended.push(why) }));
    stream.push(text);
    await turn();
    expect(ended).toEqual([reason]);
  });

  test('answers a request, and says so when it cannot', async () => {
    const { stream, written } = pipe();
    createChannel(
      stream,
      ends({ answer: async (method) => (method === 'yes' ? 1 : Promise.reject(new Error('a name'))) }),
    );
    stream.push('{"id":1,"method":"yes"}\n{"id":2,"method":"no"}\n');
    await turn();
    expect(written()).toBe(
      '{"id":1,"value":1}\n{"id":2,"failure":"defect","text":"the request failed for a reason that is in the log"}\n',
    );
  });

  test('rejects what is not answered in time, and what is under way when it ends', async () => {
    const { stream } = pipe();
    const channel = createChannel(stream, ends({}));
    await expect(channel.request('x', {}, 10)).rejects.toMatchObject({ code: 'time-out' });
    const late = channel.request('x', {}, 1000);
    stream.destroy();
    await expect(late).rejects.toMatchObject({ code: 'closed' });
    await expect(channel.request('x', {}, 10)).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('property insertion', () => {
  const message: Readonly<Record<string, unknown>> = {
    subject: { reference: 'Patient/1' },
    display: { display: 'no reference' },
    list: [{ reference: 'Observation/1' }, 'Observation/2', { identifier: {} }],
    id: 'a&_count=9,b',
    ids: ['1', '2'],
    path: '../Patient',
    many: Array(201).fill('Patient/1'),
    object: {},
  };
  const ask = (template: string): readonly string[] => questions(template, (name) => message[name]);

  test.each([
    ['Patient/1', ['Patient/1']],
    ['{{subject}}', ['Patient/1']],
    ['{{ list }}', ['Observation/1', 'Observation/2']],
    ['{{display}}', []],
    ['{{nothing}}', []],
    ['Patient/{{nothing}}', []],
    ['Observation?_id={{ids}}', ['Observation?_id=1,2']],
    ['Observation?_id={{id}}&status=final', ['Observation?_id=a%26_count%3D9%2Cb&status=final']],
  ])('%s asks for %j', (template, asked) => {
    expect(ask(template)).toEqual(asked);
  });

  test.each([
    ['Patient/{{id}}', 'what stands at id cannot be part of a reference'],
    ['Observation?_id={{object}}', 'what stands at object is no text'],
    ['{{many}}', 'at most 200 resources are read at a time'],
  ])('%s is refused: %s', (template, text) => {
    expect(() => ask(template)).toThrow(text);
  });
});

describe('a request of the flows process', () => {
  const write = { kind: 'write', resource: { resourceType: 'Basic' } };
  test.each([
    ['no such method', 'constructor', {}],
    ['no parameters', 'lease', undefined],
    ['a limit of nothing', 'lease', { limit: 0 }],
    ['effects that are no list', 'complete', { eventId: '1', lease: '1', effects: 'x' }],
    ['an effect of no kind', 'complete', { eventId: '1', lease: '1', effects: [{}] }],
    [
      'a resource without type',
      'complete',
      { eventId: '1', lease: '1', effects: [{ ...write, resource: {} }] },
    ],
    ['too many effects', 'complete', { eventId: '1', lease: '1', effects: Array(1001).fill(write) }],
    [
      'a subscription without name',
      'subscribe',
      { subscriptions: [{ kind: 'resource', criteria: 'Basic' }] },
    ],
  ])('with %s is refused', async (_what, method, params) => {
    const port = createMemoryPort();
    const requests = createPortRequests(port, { now: Date.now }, silentLogger);
    await expect(requests.answer(method, params)).rejects.toMatchObject({ name: 'ChannelFailure' });
    expect(port.commits).toEqual([]);
  });

  test('whose effects the engine refuses fails the event', async () => {
    const port = createMemoryPort();
    await port.subscribe([{ kind: 'resource', name: 's', criteria: 'Basic' }]);
    const id = port.announce('s', { resourceType: 'Basic', id: 'b' });
    const requests = createPortRequests(
      { ...port, complete: () => Promise.reject(new Error('the store is full of names')) },
      { now: Date.now },
      silentLogger,
    );
    const [event] = (await requests.answer('lease', { limit: 1 })) as readonly { readonly lease: string }[];
    await expect(
      requests.answer('complete', { eventId: id, lease: event?.lease, effects: [write] }),
    ).rejects.toMatchObject({ code: 'defect' });
    expect(port.event(id).failures).toEqual([
      'what the flow wanted done could not be done for a reason that is in the log',
    ]);
  });

  test('that comes when the process is gone leaves nothing leased', async () => {
    const port = createMemoryPort();
    await port.subscribe([{ kind: 'resource', name: 's', criteria: 'Basic' }]);
    const id = port.announce('s', { resourceType: 'Basic', id: 'b' });
    const requests = createPortRequests(port, { now: Date.now }, silentLogger);
    await requests.abandon('gone');
    await requests.answer('lease', { limit: 1 });
    expect(port.event(id).failures).toEqual(['gone']);
  });
});

describe('the nodes that are left out', () => {
  const core = join(dirname(createRequire(import.meta.url).resolve('@node-red/nodes')), 'core');
  const docs = readFileSync(join(process.cwd(), 'docs/flows.md'), 'utf8');

  test.each(excludedNodes)('$node exists and is documented', ({ file, node, reason }) => {
    const folders = ['common', 'function', 'network', 'parsers', 'sequence', 'storage'];
    expect(folders.some((folder) => existsSync(join(core, folder, file)))).toBe(true);
    expect(docs.replaceAll(/ +/g, ' ')).toContain(`| ${node} | ${reason} |`);
  });
});
