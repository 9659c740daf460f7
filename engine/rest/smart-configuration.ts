// GET [base]/.well-known/smart-configuration: https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known
// It says what is true: programs with a secret come in, by client credentials.
import type { Interaction } from './interaction.ts';

export const smartConfigurationInteraction: Interaction = {
  name: 'smart-configuration',
  method: 'GET',
  path: '/.well-known/smart-configuration',
  access: 'public',
  takes: 'nothing',
  answer: async (_parts, { publicUrl }) => ({
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({
      token_endpoint: `${publicUrl}/oauth2/token`,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      scopes_supported: ['system/*.cruds'],
      capabilities: ['client-confidential-symmetric', 'permission-v2'],
    }),
  }),
};
