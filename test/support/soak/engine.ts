// The engine under test: killed and started again on the same data, its port and what disturbs it known at every moment.
import { startEngine, type RunningEngine } from '../engine-process.ts';
import { pause } from './chance.ts';

export class SoakedEngine {
  kills = 0;
  /** Starts that failed, as they do while the disk is full. */
  failedStarts = 0;
  /** Ends that nobody had asked for. */
  readonly ownEnds: string[] = [];
  disturbances = 0;
  #running: RunningEngine | undefined;
  readonly #data: string;
  readonly #settings: Readonly<Record<string, string>>;

  readonly #tell: (line: string) => void;

  constructor(data: string, settings: Readonly<Record<string, string>>, tell: (line: string) => void) {
    this.#data = data;
    this.#settings = settings;
    this.#tell = tell;
  }

  /** Of its MLLP listener, while it runs. */
  readonly port = (): number | undefined => this.#running?.mllpPort;

  get running(): RunningEngine {
    if (this.#running === undefined) throw new Error('the engine does not run');
    return this.#running;
  }

  /** Until it runs: a full disk passes. */
  async start(mayFail: () => boolean): Promise<void> {
    for (;;) {
      try {
        const engine = await startEngine(this.#data, this.#settings);
        this.#running = engine;
        engine.process.once('exit', (code, signal) => {
          if (this.#running === engine) this.#ended(`${code ?? signal}: ${engine.output().slice(-2_000)}`);
        });
        return;
      } catch (error) {
        if (!mayFail()) throw error;
        this.failedStarts += 1;
        await pause(200);
      }
    }
  }

  async kill(): Promise<void> {
    const engine = this.#running;
    this.#running = undefined;
    this.kills += 1;
    this.disturbances += 1;
    await engine?.kill();
    this.disturbances += 1;
  }

  async stop(): Promise<number | null> {
    const engine = this.running;
    this.#running = undefined;
    return engine.stop();
  }

  /** It should not have; the soak goes on with it started again. */
  #ended(how: string): void {
    this.#running = undefined;
    this.disturbances += 1;
    this.ownEnds.push(how);
    this.#tell(`the engine ended by itself: ${how}`);
  }
}
