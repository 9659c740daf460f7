// The lines that a person sees of the demo.
import type { Places } from '../welcome.ts';
import type { Clock } from '../../kernel/clock.ts';

export interface Screen {
  /** One line, after the time of day in the hospital. */
  say(text: string): void;
}

export function createScreen(clock: Clock, timeZone: string): Screen {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' });
  return { say: (text) => process.stdout.write(`${time.format(clock.now())} ${text}\n`) };
}

/** What to try while the results come in. */
export function hints({ publicUrl, credentials }: Places): string {
  return `
A demonstration: the people are made up. Doctors order, simulated analysers send results over MLLP, flows tell the ward.
Try in another terminal:

  SECRET=$(node -p "JSON.parse(require('fs').readFileSync('${credentials}')).clientSecret")
  TOKEN=$(curl -s -u "admin:$SECRET" -d grant_type=client_credentials ${publicUrl}/oauth2/token \\
    | node -p "JSON.parse(require('fs').readFileSync(0)).access_token")
  curl -s -H "Authorization: Bearer $TOKEN" '${publicUrl}/fhir/R4/DiagnosticReport?_sort=-_lastUpdated&_count=1&_pretty=true'
  curl -s -H "Authorization: Bearer $TOKEN" '${publicUrl}/admin/messages?state=processed'

Or open ${publicUrl}/flows and sign in with the user name and password of that file.

`;
}
