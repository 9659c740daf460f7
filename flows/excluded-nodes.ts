// The nodes of Node-RED that are left out, and why. docs/flows.md shows the same list (a test compares them).

export interface ExcludedNode {
  /** File name in @node-red/nodes/core. */
  readonly file: string;
  /** As the palette would call it. */
  readonly node: string;
  readonly reason: string;
}

const machine = 'reaches the machine: files and programs of the server are not a flow’s business';
const network =
  'reaches the network past the outbox: what it sends would be sent again with every retry; use "send"';
const door = 'opens a door into the server that sign-in does not guard';

export const excludedNodes: readonly ExcludedNode[] = [
  { file: '90-exec.js', node: 'exec', reason: machine },
  { file: '10-file.js', node: 'write file, read file', reason: machine },
  { file: '23-watch.js', node: 'watch', reason: machine },
  { file: '05-tls.js', node: 'tls-config', reason: machine },
  { file: '21-httprequest.js', node: 'http request', reason: network },
  { file: '06-httpproxy.js', node: 'http proxy', reason: network },
  { file: '10-mqtt.js', node: 'mqtt in, mqtt out', reason: network },
  { file: '32-udp.js', node: 'udp in, udp out', reason: network },
  { file: '21-httpin.js', node: 'http in, http response', reason: door },
  { file: '22-websocket.js', node: 'websocket in, websocket out', reason: door },
  { file: '31-tcpin.js', node: 'tcp in, tcp out, tcp request', reason: door },
  {
    file: '70-HTML.js',
    node: 'html',
    reason: 'takes a large library, and no medical device speaks HTML',
  },
];
