// The part of Node-RED's face that we use; the package brings no types. https://nodered.org/docs/api/
declare module 'node-red' {
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';

  /** A message on a wire. `_kiungo` names the try of the event that it descends from. */
  export interface Message {
    _msgid?: string;
    _kiungo?: string;
    payload?: unknown;
    [property: string]: unknown;
  }

  export interface Node {
    readonly id: string;
    readonly type: string;
    readonly name?: string;
    /** How many of its input handlers take `done`. */
    readonly _expectedDoneCount: number;
    readonly _inputCallback: unknown;
    readonly _inputCallbacks: unknown;
    send(message: Message): void;
    status(status: { fill?: string; shape?: string; text?: string }): void;
  }

  export interface SendEvent {
    readonly msg: Message;
    readonly destination: { readonly id: string; readonly node?: Node };
  }
  export interface ReceiveEvent {
    readonly msg: Message;
    readonly destination: { readonly id: string; readonly node: Node };
  }
  export interface CompleteEvent {
    readonly msg: Message;
    readonly error?: unknown;
    readonly node: { readonly id: string; readonly node: Node };
  }

  export interface LogLine {
    readonly level: number;
    readonly id?: string;
    readonly type?: string;
    readonly name?: string;
    readonly msg: unknown;
  }

  export interface NodeRed {
    init(server: Server, settings: object): void;
    start(): Promise<void>;
    stop(): Promise<void>;
    readonly httpAdmin: (request: IncomingMessage, response: ServerResponse) => void;
    readonly events: {
      on(event: string, listener: () => void): void;
    };
    readonly hooks: {
      add(hook: 'onSend.kiungo', listener: (events: readonly SendEvent[]) => void): void;
      add(hook: 'preDeliver.kiungo', listener: (event: SendEvent) => void): void;
      add(hook: 'onReceive.kiungo' | 'postReceive.kiungo', listener: (event: ReceiveEvent) => void): void;
      add(hook: 'onComplete.kiungo', listener: (event: CompleteEvent) => void): void;
    };
    readonly util: {
      getMessageProperty(message: Message, expression: string): unknown;
    };
  }

  const red: NodeRed;
  export default red;
}
