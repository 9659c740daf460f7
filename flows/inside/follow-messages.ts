// Follows the messages of an event through Node-RED: by the key that they carry, and, where a node sends a message that it made
// itself, by the asynchronous context in which the node took the one that it was made for.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { CompleteEvent, LogLine, Message, Node, NodeRed } from 'node-red';
import { nodeErrorText } from './error-text.ts';
import type { Tries } from './tries.ts';

/** Node-RED's level of an error that no Catch node took. */
const errorLevel = 20;

export interface MessageFollower {
  /** Registers the hooks; once, before the flows start. */
  follow(hooks: NodeRed['hooks']): void;
  /** For the log handler: an error of a node that no Catch node took fails the event that the node was at work on. */
  logged(line: LogLine): void;
}

export function createMessageFollower(tries: Tries): MessageFollower {
  const context = new AsyncLocalStorage<string>();
  /** Set while Node-RED hands the error of a `done(error)` to the Catch nodes, or to the log. */
  let completing: string | undefined;

  /** The key of a message, which it is given here when its node made it while at work on an event's message. */
  const keyOf = (message: Message): string | undefined => {
    const key = message._kiungo ?? context.getStore();
    if (key !== undefined) message._kiungo = key;
    return key;
  };

  const completed = ({ msg, error, node }: CompleteEvent): void => {
    if (msg._kiungo === undefined) return;
    if (error !== undefined && error !== null) {
      completing = msg._kiungo;
      queueMicrotask(() => (completing = undefined));
    }
    tries.done(msg._kiungo, msg, node.id);
  };

  return {
    follow(hooks) {
      hooks.add('onSend.kiungo', (events) => {
        for (const { msg } of events) keyOf(msg);
      });
      hooks.add('preDeliver.kiungo', ({ msg, destination }) => {
        if (msg._kiungo !== undefined) tries.onTheWay(msg._kiungo, msg, destination.id);
      });
      hooks.add('onReceive.kiungo', ({ msg, destination }) => {
        const key = keyOf(msg);
        if (key === undefined) return;
        context.enterWith(key);
        tries.taken(key, msg, destination.id);
      });
      hooks.add('postReceive.kiungo', ({ msg, destination }) => {
        if (msg._kiungo !== undefined && neverSaysDone(destination.node)) {
          tries.done(msg._kiungo, msg, destination.id);
        }
      });
      hooks.add('onComplete.kiungo', completed);
    },
    logged(line) {
      const key = completing ?? context.getStore();
      if (line.level <= errorLevel && line.id !== undefined && key !== undefined) {
        tries.fail(key, nodeErrorText(line));
      }
    },
  };
}

/** Old nodes have no `done`; closed nodes have no handler any more. */
const neverSaysDone = (node: Node): boolean =>
  node._expectedDoneCount === 0 || (node._inputCallback === null && node._inputCallbacks === null);
