// The limit that reads are measured against: Express 5 that answers a ready-made body and does nothing else.
import type { AddressInfo } from 'node:net';
import express from 'express';
import { samplePatient } from '../samples.ts';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
const body = JSON.stringify(samplePatient('limit'));
app.get('/fhir/R4/Patient/:id', (_request, response) => {
  response.setHeader('content-type', 'application/fhir+json; charset=utf-8');
  response.end(body);
});
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
