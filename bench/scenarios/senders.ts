// Five hundred analysers that stay connected and send now and then: what the engine holds for them.
import { residentMegabytes, type MeasuredEngine } from '../engine.ts';
import { MllpConnection } from '../load/mllp-connection.ts';
import type { Figure } from '../report.ts';
import { sampleOru } from '../samples.ts';

const senders = 500;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 10);
/** Of all of them together: 12,000 results an hour are a large laboratory's peak. */
const perSecond = 50;

export async function measureSenders(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const connections = Array.from(
    { length: senders },
    (_, place) => new MllpConnection(engine.mllpPort, addressOf(place)),
  );
  let peak = 0;
  let accepted = 0;
  const sending: Promise<void>[] = [];
  const begin = performance.now();
  for (let sent = 0; sent < Math.max(senders, seconds * perSecond); sent += 1) {
    await until(begin + (sent * 1_000) / perSecond);
    const message = sampleOru(`p${sent}`, `s${sent}`);
    const answered = connections[sent % senders]?.send(message) ?? Promise.resolve(false);
    sending.push(answered.then((isAccepted) => void (accepted += isAccepted ? 1 : 0)));
    peak = Math.max(peak, residentMegabytes(engine.pid)[0] ?? 0);
  }
  await Promise.all(sending);
  for (const connection of connections) connection.close();
  await engine.stop();
  return [
    {
      name: `memory of the engine with ${senders} connected senders`,
      value: peak,
      unit: 'MB',
      target: 300,
      better: 'less',
      remarks: `${accepted} of ${sending.length} messages accepted, ${perSecond}/s from all of them together`,
    },
  ];
}

/** A few senders stand behind one address; the engine takes so many of one, not all. */
const addressOf = (place: number): string => `127.0.0.${1 + (place % 10)}`;

async function until(moment: number): Promise<void> {
  const left = moment - performance.now();
  if (left > 0) await new Promise((wait) => setTimeout(wait, left));
}
