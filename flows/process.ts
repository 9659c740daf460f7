// The flows process: Node-RED, embedded. Started and watched by flows/supervisor.ts, to which it speaks over file descriptor 3;
// it ends with the engine.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import RED from 'node-red';
import { createChannel, type Channel } from './channel.ts';
import type { FlowsBeat, FlowsStart } from './door.ts';
import { parseForFlow, stringifyFromFlow } from './exact-numbers.ts';
import { createEditorServer } from './inside/editor-server.ts';
import { createEventDesk, type EventDesk } from './inside/event-desk.ts';
import { createMessageFollower } from './inside/follow-messages.ts';
import { createNodesKit } from './inside/nodes-kit.ts';
import { routeLog } from './inside/route-log.ts';
import { seedFlows } from './inside/seed.ts';
import { nodeRedSettings } from './inside/settings.ts';
import { createTries, type Tries } from './inside/tries.ts';

const nodesDir = fileURLToPath(new URL('nodes', import.meta.url));

/** The requests of the editor that deploy flows. */
const deploys = (request: IncomingMessage): boolean =>
  request.method !== 'GET' && /^\/flows?(\/|\?|$)/.test(request.url ?? '');

/** Before a deployment: what is in flight may finish, so that it is not tried a second time for nothing. */
const waitForFlight =
  (desk: EventDesk, limitMs: number) =>
  (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (!deploys(request)) {
      next();
      return;
    }
    void desk.drain(limitMs).then((release) => {
      response.once('close', release);
      next();
    });
  };

async function run(channel: Channel, desk: EventDesk, tries: Tries, start: FlowsStart): Promise<void> {
  const follower = createMessageFollower(tries);
  const server = createEditorServer(start.key, start.publicPath);
  await seedFlows(start.userDir, start.libraryDir);
  RED.init(
    server.inner,
    nodeRedSettings({
      ...start,
      nodesDir,
      kit: createNodesKit(channel, desk, tries, RED.util.getMessageProperty.bind(RED.util)),
      log(line) {
        follower.logged(line);
        routeLog(channel, line);
      },
      beforeAdmin: waitForFlight(desk, start.drainMs),
    }),
  );
  follower.follow(RED.hooks);
  RED.events.on('flows:stopping', () => desk.stopping());
  RED.events.on('flows:started', () => {
    desk.started();
    channel.notify('deployed', {});
  });
  await RED.start();
  channel.notify('ready', { port: await server.listen(RED.httpAdmin) });
}

/** Lets what is in flight finish, then goes. */
async function stop(desk: EventDesk, limitMs: number): Promise<never> {
  await desk.drain(limitMs);
  await RED.stop();
  process.exit(0);
}

function beat(channel: Channel, tries: Tries, everyMs: number): void {
  const tell = (): void => {
    const now: FlowsBeat = { rssBytes: process.memoryUsage.rss(), inFlight: tries.count };
    channel.notify('beat', now);
  };
  tell();
  setInterval(tell, everyMs);
}

/** Its text stays here: a flow may have thrown it. */
function die(channel: Channel, error: unknown): void {
  const { name, stack } = error instanceof Error ? error : new Error('not an error');
  const places = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  channel.notify('log', { level: 'error', text: `${name} that nobody caught${places.slice(0, 8).join('')}` });
  setTimeout(() => process.exit(1), 100);
}

function main(): void {
  let begin: (start: FlowsStart) => void = () => undefined;
  let halt: () => void = () => process.exit(0);
  let wake: () => void = () => undefined;
  const channel = createChannel(new Socket({ fd: 3 }), {
    parse: parseForFlow,
    stringify: stringifyFromFlow,
    answer: () => Promise.reject(new Error('the flows process answers nothing')),
    notice(name, params) {
      if (name === 'start') begin(params as FlowsStart);
      else if (name === 'events') wake();
      else if (name === 'stop') halt();
    },
    ended: () => process.exit(0),
  });
  // Ctrl-C reaches both processes: the engine then stops this one in order.
  process.on('SIGINT', () => undefined);
  process.on('uncaughtException', (error) => die(channel, error));
  begin = (start) => {
    const tries = createTries();
    const desk = createEventDesk(channel, tries, start);
    wake = () => desk.wake();
    halt = () => void stop(desk, start.drainMs);
    beat(channel, tries, start.beatMs);
    run(channel, desk, tries, start).catch((error: unknown) => die(channel, error));
  };
}

main();
