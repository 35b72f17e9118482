/** POST /api/webhooks/distribution: a Distribution registry tells of a push. */
import { app } from '@azure/functions';
import { receiveWebhook } from '../shared/api/receive-webhook.ts';
import { answer, intakeOf } from './_handlers.ts';

app.http('webhook-distribution', {
  methods: ['POST'],
  route: 'webhooks/distribution',
  authLevel: 'anonymous',
  handler: answer((api, request) => receiveWebhook('distribution', request, intakeOf(api))),
});
