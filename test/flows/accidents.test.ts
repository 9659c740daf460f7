// What goes wrong in a flows process stays there: events are tried again, nothing is lost, nothing is doubled.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { event, flow, fn, write } from './flow-builder.ts';
import { startFlows, until, type FlowsUnderTest } from './flows-under-test.ts';

const basic = { resourceType: 'Basic', id: 'b1' };

let flows: FlowsUnderTest;
beforeAll(async () => {
  flows = await startFlows();
  flows.port.leaseMs = 5_000;
  await until(() => flows.supervisor.ready(), 25_000);
});
afterAll(async () => {
  await flows.stop();
});

async function listening(name: string): Promise<void> {
  await until(
    () => flows.supervisor.ready() && flows.port.subscriptions.some((one) => one.name === name),
    25_000,
  );
}

describe('a flow that blocks the process', () => {
  test.each([
    ['at once', 'while (msg.event.attempts < 2) {}'],
    ['after a wait', 'await new Promise((go) => setTimeout(go, 10)); while (msg.event.attempts < 2) {}'],
  ])('%s: the process is started again, and the event comes again', async (_when, code) => {
    const { port, supervisor } = flows;
    await flows.deploy(flow('blocking', [event, fn(`${code} return msg;`), write]));
    await listening('blocking');
    const before = supervisor.health();

    const id = port.announce('blocking', basic);
    await until(() => port.event(id).state === 'done', 25_000);

    expect(port.event(id)).toMatchObject({
      attempts: 2,
      failures: ['the flows process ended while the flow was running'],
    });
    expect(supervisor.health().restarts).toBe(before.restarts + 1);
    expect(supervisor.health().lastExit).toBe('did not answer: a flow blocks it (SIGKILL)');
  });
});

describe('a process that is killed', () => {
  test('loses nothing and doubles nothing', async () => {
    const { port, supervisor } = flows;
    await flows.deploy(
      flow('steady', [
        event,
        fn(`setTimeout(() => { node.send(msg); node.done(); }, 40);`),
        fn(`msg.payload = { resourceType: 'Basic', id: 'of-' + msg.payload.id }; return msg;`),
        write,
      ]),
    );
    await listening('steady');
    const from = port.commits.length;

    const ids = Array.from({ length: 60 }, (_, at) => port.announce('steady', { ...basic, id: `s${at}` }));
    const done = (): number => ids.filter((id) => port.event(id).state === 'done').length;
    for (const claim of [5, 25]) {
      await until(() => supervisor.ready() && done() >= claim, 25_000);
      process.kill(supervisor.health().pid!, 'SIGKILL');
      await until(() => !supervisor.ready());
    }
    await until(() => done() === ids.length, 30_000);

    const written = port.commits
      .slice(from)
      .flat()
      .flatMap((one) => (one.kind === 'write' ? [one.resource.id] : []));
    expect(written.toSorted()).toEqual(ids.map((_, at) => `of-s${at}`).toSorted());
  });

  test('answers 503 with a plain page until it is back', async () => {
    process.kill(flows.supervisor.health().pid!, 'SIGKILL');
    await until(() => !flows.supervisor.ready());
    const answer = await fetch(`${flows.url}/flows/`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The flow editor is starting');
    await until(() => flows.supervisor.ready(), 25_000);
  });
});

describe('a function that breaks out of its box', () => {
  test('finds no files but its own, starts no programs, and no environment of the engine', async () => {
    const { port } = flows;
    process.env.KIUNGO_TEST_SECRET = 'secret';
    const attempt = `
      const outside = msg.constructor.constructor('return process')();
      const fails = (work) => { try { work(); return 'allowed'; } catch (error) { return error.code; } };
      const fs = outside.getBuiltinModule('fs');
      msg.payload = { resourceType: 'Basic', id: 'escape', tried: [
        fails(() => fs.readFileSync('/etc/passwd')),
        fails(() => fs.readdirSync(${JSON.stringify(join(process.cwd(), 'engine'))})),
        fails(() => fs.writeFileSync(${JSON.stringify(join(process.cwd(), 'flows', 'x.txt'))}, '')),
        fails(() => outside.getBuiltinModule('child_process').execSync('id')),
        fails(() => new (outside.getBuiltinModule('worker_threads').Worker)('', { eval: true })),
        String(outside.env.KIUNGO_TEST_SECRET),
      ] };
      return msg;`;
    await flows.deploy(flow('escape', [event, fn(attempt), write]));
    await listening('escape');

    const id = port.announce('escape', basic);
    await until(() => port.event(id).state === 'done');

    expect(port.written().at(-1)?.tried).toEqual([
      ...Array<string>(5).fill('ERR_ACCESS_DENIED'),
      'undefined',
    ]);
  });
});

describe('an engine that is killed', () => {
  test.each([
    ['takes its flows process with it', false],
    ['takes it with it even while a flow blocks it', true],
  ])('%s', async (_title, blocked) => {
    const engine = spawn(process.execPath, [join(process.cwd(), 'test/flows/engine-to-kill.ts')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) =>
      engine.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))),
    );
    // A stopped process notices nothing, as one in an endless loop.
    if (blocked) process.kill(pid, 'SIGSTOP');
    expect(lives(pid)).toBe(true);

    engine.kill('SIGKILL');

    await until(() => !lives(pid), 5_000);
  });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
