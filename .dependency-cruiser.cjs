// The order of the folders is the architecture: each part of the engine imports only what stands to its left.
const order = [
  'kernel',
  'fhir',
  'terminology',
  'search',
  'validation',
  'mapping',
  'auth',
  'storage',
  'audit',
  'jobs',
  'repository',
  'messages',
  'subscriptions',
  'hospital',
  'rest',
  'app',
];

const layers = order.map((part, position) => ({
  name: `engine-order-${part}`,
  comment: `engine/${part} imports only: ${order.slice(0, position).join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^engine/${part}/` },
  to: { path: '^engine/', pathNot: [...order.slice(0, position + 1).map((name) => `^engine/${name}/`)] },
}));

/** An outside package has one home. */
const homes = [
  ['express', ['^engine/rest/', '^bench/']],
  ['mongoose', ['^engine/storage/mongo/']],
  ['node:sqlite', ['^engine/storage/sqlite/', '^bench/']],
  ['agenda', ['^engine/jobs/']],
  ['croner', ['^engine/jobs/']],
  ['node-hl7-client', ['^adapters/hl7/']],
  ['node-red', ['^flows/']],
  ['@medplum/core', ['^engine/search/', '^test/']],
  ['pino', ['^engine/app/']],
  ['prom-client', ['^engine/app/', '^engine/rest/']],
  ['jose', ['^engine/auth/']],
  ['saxes', ['^engine/fhir/']],
  ['@opentelemetry/api', ['^engine/app/']],
  ['@opentelemetry/resources', ['^engine/app/']],
  ['@opentelemetry/sdk-trace', ['^engine/app/']],
  ['@opentelemetry/exporter-trace-otlp-http', ['^engine/app/']],
  ['nodemailer', ['^adapters/email/']],
  ['ssh2', ['^adapters/sftp/', '^test/']],
];
const homeRules = homes.map(([name, folders]) => ({
  name: `home-of-${name.replaceAll(/[@/:]/g, '-')}`,
  comment: `${name} is met only in ${folders.join(', ')}`,
  severity: 'error',
  from: { pathNot: folders },
  to: {
    path: `(^|node_modules/)${name.replace('node:', '(node:)?')}(/|$)`,
    dependencyTypesNot: ['type-only'],
  },
}));

module.exports = {
  forbidden: [
    ...layers,
    ...homeRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'front-door',
      comment: 'Adapters and flows are guests: they come in by engine/index.ts.',
      severity: 'error',
      from: { path: '^(adapters|flows)/' },
      to: { path: '^engine/', pathNot: '^engine/index\\.ts$' },
    },
    {
      name: 'engine-knows-no-guests',
      comment: 'Only the wiring in engine/app knows adapters and flows.',
      severity: 'error',
      from: { path: '^engine/', pathNot: '^engine/app/' },
      to: { path: '^(adapters|flows)/' },
    },
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      from: { path: '^adapters/([^/]+)/' },
      to: { path: '^adapters/', pathNot: '^adapters/$1/' },
    },
    {
      name: 'stores-do-not-know-each-other',
      severity: 'error',
      from: { path: '^engine/storage/([^/]+)/' },
      to: { path: '^engine/storage/(sqlite|mongo)/', pathNot: '^engine/storage/$1/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['\\.d\\.ts$', '\\.config\\.', '^scripts/', '^flows/nodes/', '^bench/', '^test/support/'],
      },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@medplum/fhirtypes$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    builtInModules: { add: ['node:sqlite', 'sqlite'] },
  },
};
