// Sends one message from a file and shows the acknowledgement:
// node adapters/hl7/simulator/send.ts <file> [--host 127.0.0.1] [--port 2575]
// Ends with 0 when the message was accepted (AA, CA), with 1 otherwise.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { readAnswer, verdictOf } from '../answer.ts';
import { frame, FrameDecoder } from '../framing.ts';

const timeoutMs = 30_000;

function exchange(message: Buffer, host: string, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder({ maxFrameBytes: 4 * 1024 * 1024 });
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`no acknowledgement within ${timeoutMs / 1000} s`)),
    );
    socket.on('connect', () => socket.write(frame(message)));
    socket.on('data', (chunk: Buffer) => {
      const [event] = decoder.push(chunk);
      if (event?.kind !== 'message') return;
      socket.end();
      resolve(event.bytes);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed without an acknowledgement')));
  });
}

/** Segments end in CR on the wire, whatever an editor made of the file. */
const asOnTheWire = (file: Buffer): Buffer =>
  Buffer.from(file.toString('latin1').replace(/\r?\n/g, '\r'), 'latin1');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '2575' } },
  });
  const [file] = positionals;
  if (file === undefined) throw new Error('usage: send.ts <file> [--host 127.0.0.1] [--port 2575]');
  const answer = await exchange(asOnTheWire(await readFile(file)), values.host, Number(values.port));
  console.log(answer.toString().replaceAll('\r', '\n').trim());
  return verdictOf(readAnswer(answer, undefined)?.code ?? '').kind === 'accepted' ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
