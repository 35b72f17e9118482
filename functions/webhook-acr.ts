/** POST /api/webhooks/acr: an Azure container registry tells of a push. */
import { app } from '@azure/functions';
import { receiveWebhook } from '../shared/api/receive-webhook.ts';
import { answer, intakeOf } from './_handlers.ts';

app.http('webhook-acr', {
  methods: ['POST'],
  route: 'webhooks/acr',
  authLevel: 'anonymous',
  handler: answer((api, request) => receiveWebhook('acr', request, intakeOf(api))),
});
