// The settings that there are: one table of name, type, default and sentence. docs/configuration.md shows the same table.

type SettingKind =
  | 'text'
  | 'port'
  | 'switch'
  | 'whole'
  | 'url'
  | 'folder'
  | 'store'
  | 'level'
  | 'hosts'
  | 'zone'
  | 'destinations'
  | 'webhook'
  | 'smtp'
  | 'addresses'
  | 'origins';

interface Setting {
  readonly name: string;
  readonly kind: SettingKind;
  /** As a person would write it; undefined: none. */
  readonly byDefault: string | undefined;
  readonly sentence: string;
}

export const settings = {
  bind: {
    name: 'KIUNGO_BIND',
    kind: 'text',
    byDefault: '127.0.0.1',
    sentence: 'The address that the engine listens on, for HTTP and MLLP. 0.0.0.0 opens it to the network.',
  },
  httpPort: {
    name: 'KIUNGO_HTTP_PORT',
    kind: 'port',
    byDefault: '8080',
    sentence: 'The port of FHIR, the flow editor and health. 0 takes a free one and prints it.',
  },
  mllpPort: {
    name: 'KIUNGO_MLLP_PORT',
    kind: 'port',
    byDefault: '2575',
    sentence:
      'The port that analysers and other systems send HL7 v2 messages to. 0 takes a free one and prints it.',
  },
  data: {
    name: 'KIUNGO_DATA',
    kind: 'folder',
    byDefault: './data',
    sentence:
      'The folder of everything that is kept: the store, keys, first credentials, flows. Created when absent.',
  },
  store: {
    name: 'KIUNGO_STORE',
    kind: 'store',
    byDefault: 'sqlite',
    sentence: 'Where resources and messages live: sqlite (a file in the data folder) or a mongodb:// URL.',
  },
  publicUrl: {
    name: 'KIUNGO_PUBLIC_URL',
    kind: 'url',
    byDefault: undefined,
    sentence:
      'The address by which others reach this engine, for links in answers. Default: http://<bind>:<port>.',
  },
  trustProxy: {
    name: 'KIUNGO_TRUST_PROXY',
    kind: 'hosts',
    byDefault: undefined,
    sentence:
      'Addresses or CIDR ranges, comma-separated, of the reverse proxies whose Forwarded and X-Forwarded-… headers are believed. Default: none.',
  },
  corsOrigins: {
    name: 'KIUNGO_CORS_ORIGINS',
    kind: 'origins',
    byDefault: undefined,
    sentence:
      'Where the pages come from that may ask FHIR out of a browser, comma-separated: https://app.example, or * for any. Default: those of the engine alone.',
  },
  adminClientId: {
    name: 'KIUNGO_ADMIN_CLIENT_ID',
    kind: 'text',
    byDefault: undefined,
    sentence: "The first administrator's OAuth2 client id. Made at random when not set.",
  },
  adminClientSecret: {
    name: 'KIUNGO_ADMIN_CLIENT_SECRET',
    kind: 'text',
    byDefault: undefined,
    sentence:
      "The first administrator's OAuth2 client secret, 16 characters or more. Made at random when not set.",
  },
  logLevel: {
    name: 'KIUNGO_LOG_LEVEL',
    kind: 'level',
    byDefault: 'info',
    sentence: 'How much is logged: debug, info, warn or error. Patient data is never logged.',
  },
  mllpCharset: {
    name: 'KIUNGO_MLLP_CHARSET',
    kind: 'text',
    byDefault: 'windows-1252',
    sentence:
      'The character set of HL7 v2 messages that are not valid UTF-8 and do not name theirs in MSH-18.',
  },
  mllpAllow: {
    name: 'KIUNGO_MLLP_ALLOW',
    kind: 'hosts',
    byDefault: undefined,
    sentence:
      'Addresses or CIDR ranges, comma-separated, that may connect to the MLLP port. Default: any that reach it.',
  },
  timeZone: {
    name: 'KIUNGO_TIME_ZONE',
    kind: 'zone',
    byDefault: 'Africa/Nairobi',
    sentence: 'The time zone of the hospital, for times in messages that name none.',
  },
  mappings: {
    name: 'KIUNGO_MAPPINGS',
    kind: 'folder',
    byDefault: undefined,
    sentence:
      'The folder of maps and code tables, read again whenever a file in it changes. Default: those that come with the engine.',
  },
  mapOverlays: {
    name: 'KIUNGO_MAP_OVERLAYS',
    kind: 'folder',
    byDefault: undefined,
    sentence:
      "A folder of the hospital's own: files that change shipped maps by name, and further maps and tables. Default: none.",
  },
  destinations: {
    name: 'KIUNGO_DESTINATIONS',
    kind: 'destinations',
    byDefault: 'ward=file:ward',
    sentence:
      'Where the outbox hands things out, comma-separated: name=mllp://host:port, or name=file:folder (below outbox/ in the data folder).',
  },
  referentialIntegrity: {
    name: 'KIUNGO_REFERENTIAL_INTEGRITY',
    kind: 'switch',
    byDefault: 'on',
    sentence:
      'on: what a resource refers to must be there, and what is referred to cannot be deleted. off: for loading data in any order.',
  },
  reindex: {
    name: 'KIUNGO_REINDEX',
    kind: 'switch',
    byDefault: 'on',
    sentence:
      'on: a SearchParameter that is created, changed or deleted has what is stored indexed again in the background. off: only when $reindex is asked for.',
  },
  channels: {
    name: 'KIUNGO_CHANNELS',
    kind: 'folder',
    byDefault: undefined,
    sentence:
      'A folder of channels, one YAML or JSON file each. What is in a file is changed there, and wins over what was made by hand.',
  },
  alertWebhook: {
    name: 'KIUNGO_ALERT_WEBHOOK',
    kind: 'webhook',
    byDefault: undefined,
    sentence:
      'Where alerts are sent as JSON, at most once a minute: a channel that is silent, a destination that cannot be reached, and so on.',
  },
  alertEmail: {
    name: 'KIUNGO_ALERT_EMAIL',
    kind: 'addresses',
    byDefault: undefined,
    sentence: 'Addresses, comma-separated, that alerts are mailed to, together and at most once a minute.',
  },
  smtpUrl: {
    name: 'KIUNGO_SMTP_URL',
    kind: 'smtp',
    byDefault: undefined,
    sentence:
      'The mail server: smtp://user@host:587, or smtps://… for TLS from the first byte. Its password lies in secrets/smtp in the data folder.',
  },
  smtpFrom: {
    name: 'KIUNGO_SMTP_FROM',
    kind: 'text',
    byDefault: undefined,
    sentence: 'The address that mail is sent from.',
  },
  otelEndpoint: {
    name: 'KIUNGO_OTEL_ENDPOINT',
    kind: 'webhook',
    byDefault: undefined,
    sentence:
      'Where traces are sent by OTLP over HTTP: http://collector:4318. OTEL_EXPORTER_OTLP_ENDPOINT is heeded too. Default: nothing is traced.',
  },
  maxMessageBytes: {
    name: 'KIUNGO_MAX_MESSAGE_BYTES',
    kind: 'whole',
    byDefault: '52428800',
    sentence: 'The largest HL7 v2 message or HTTP body that is taken, in bytes.',
  },
  maxBinaryBytes: {
    name: 'KIUNGO_MAX_BINARY_BYTES',
    kind: 'whole',
    byDefault: '1073741824',
    sentence:
      'The largest content of a Binary that is taken as what it is (image/png, application/dicom …), in bytes.',
  },
  archive: {
    name: 'KIUNGO_ARCHIVE',
    kind: 'folder',
    byDefault: undefined,
    sentence:
      'The folder in which channels with an archive keep what goes from the store. Default: archive/ in the data folder.',
  },
  retentionDays: {
    name: 'KIUNGO_RETENTION_DAYS',
    kind: 'whole',
    byDefault: '90',
    sentence:
      'How long finished messages and deliveries are kept, in days. Those that wait for a person stay.',
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof settings;
