// $versions: which versions of FHIR are spoken here. https://hl7.org/fhir/R4/capabilitystatement-operation-versions.html
import type { Interaction } from '../interaction.ts';

const body = JSON.stringify({
  resourceType: 'Parameters',
  parameter: [
    { name: 'version', valueCode: '4.0' },
    { name: 'default', valueCode: '4.0' },
  ],
});

const versions = {
  name: 'versions',
  path: '/$versions',
  access: 'public',
  takes: 'nothing',
  answer: async () => ({ status: 200, body }),
} as const;

export const versionsInteractions: readonly Interaction[] = [
  {
    ...versions,
    method: 'GET',
    capability: {
      level: 'system',
      codes: [],
      operation: {
        name: 'versions',
        definition: 'http://hl7.org/fhir/OperationDefinition/CapabilityStatement-versions',
      },
    },
  },
  { ...versions, method: 'POST' },
];
