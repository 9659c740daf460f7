// Events to the flows process, and what flows do: the port between the two, and what starts and watches that process.
import { join } from 'node:path';
import { createFlowsSupervisor, type FlowsSupervisor } from '../../flows/supervisor.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Compose } from '../messages/compose.ts';
import { createFlowPort, type EngineFlowPort } from '../subscriptions/flow-subscriptions.ts';
import type { Ambient } from './ambient.ts';
import type { Kept } from './kept.ts';
import type { Messages } from './messages.ts';
import type { Config } from './read-config.ts';

interface FlowsParts {
  readonly config: Config;
  readonly ambient: Ambient;
  readonly kept: Kept;
  readonly messages: Messages;
  readonly compose: Compose;
  /** Encrypts the credentials inside flows. */
  readonly credentialSecret: string;
}

export const flowsPath = '/flows';

/** How long the first start of all waits for the flows to say what they listen for. Later starts know. */
const knownLimitMs = 20_000;

export function createFlows(parts: FlowsParts): {
  readonly flowPort: EngineFlowPort;
  readonly flows: FlowsSupervisor;
} {
  const { config, ambient, kept, messages, compose, credentialSecret } = parts;
  const { store, repository, index } = kept;
  const { outbox, processor } = messages;
  const flowPort = createFlowPort({
    ...{ ...ambient, repository, store, index, compose },
    wakeOutbox: () => outbox.wake(),
  });
  repository.onCommitted(() => outbox.wake());
  processor.onProcessed(flowPort.onProcessed);
  const flows = createFlowsSupervisor({
    ...{ ...ambient, port: flowPort, logger: ambient.logger.child({ part: 'flows' }) },
    ...{ userDir: join(config.data, 'flows'), publicPath: flowsPath, credentialSecret },
    environment: { TZ: config.timeZone },
  });
  return { flowPort, flows };
}

/** Resolves once it is known what they listen for, or when that has taken too long: then what comes in does not wait for them. */
export async function startFlows(
  flows: FlowsSupervisor,
  port: EngineFlowPort,
  logger: Logger,
): Promise<void> {
  await flows.start();
  if (await port.known(knownLimitMs)) return;
  logger.error({}, 'the flows have not started: what comes in now makes no events for them');
}
