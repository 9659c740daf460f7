// Node-RED as Kiungo wants it: no network, no installs, no doors of its own. https://nodered.org/docs/user-guide/runtime/configuration
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogLine } from 'node-red';
import { userHeader } from '../door.ts';
import { excludedNodes } from '../excluded-nodes.ts';
import type { NodesKit } from './nodes-kit.ts';

/** A function node that has not come back (up to its first `await`) after this long is stopped, and its event fails. */
const functionTimeoutSeconds = 5;

export interface SettingsParts {
  readonly userDir: string;
  readonly nodesDir: string;
  readonly publicPath: string;
  readonly credentialSecret: string;
  readonly kit: NodesKit;
  readonly log: (line: LogLine) => void;
  /** Sees each request before the editor's interface does. */
  readonly beforeAdmin: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}

export function nodeRedSettings(parts: SettingsParts): object {
  return {
    userDir: parts.userDir,
    flowFile: 'flows.json',
    flowFilePretty: true,
    credentialSecret: parts.credentialSecret,
    nodesDir: [parts.nodesDir],
    nodesExcludes: excludedNodes.map(({ file }) => file),
    kiungo: parts.kit,
    httpAdminRoot: parts.publicPath,
    httpAdminMiddleware: parts.beforeAdmin,
    httpNodeRoot: false,
    adminAuth: signedIn,
    apiMaxLength: '5mb',
    logging: { kiungo: { level: 'info', metrics: false, audit: false, handler: () => parts.log } },
    contextStorage: { default: { module: 'localfilesystem' } },
    exportGlobalContextKeys: false,
    globalFunctionTimeout: functionTimeoutSeconds,
    debugMaxLength: 1000,
    nodeMessageBufferMaxLength: 1000,
    ...closed,
    editorTheme,
  };
}

/** Whoever comes through the engine's sign-in is named in a header; nobody else gets this far. */
const signedIn = {
  type: 'credentials',
  users: [],
  tokenHeader: userHeader,
  tokens: async (username: string) => ({ username, permissions: '*' }),
};

/** Nothing is installed, asked for or told over the network. */
const closed = {
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: false, ui: false },
  runtimeState: { enabled: false, ui: false },
  functionExternalModules: false,
  functionGlobalContext: {},
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpdate: false, allowUpload: false },
    modules: { allowInstall: false },
  },
};

const editorTheme = {
  page: { title: 'Kiungo flows' },
  header: { title: 'Kiungo flows', image: null },
  tours: false,
  userMenu: true,
  projects: { enabled: false },
  multiplayer: { enabled: false },
  codeEditor: { lib: 'monaco', options: { minimap: { enabled: false } } },
  menu: {
    'menu-item-help': { label: 'Flows in Kiungo', url: 'https://nodered.org/docs/user-guide/' },
    'menu-item-node-red-version': false,
  },
  palette: { categories: ['kiungo', 'common', 'function', 'sequence', 'parser'] },
};
