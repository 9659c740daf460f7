// Stands for an engine: starts the flows, tells the process id of theirs, and waits to be killed.
import { startFlows, until } from './flows-under-test.ts';

const { supervisor } = await startFlows();
await until(() => supervisor.ready(), 25_000);
process.stdout.write(String(supervisor.health().pid));
