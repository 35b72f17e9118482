/** Queue registry-events: what Event Grid writes of a registry, tried again for a day. */
import { app } from '@azure/functions';
import { receiveRegistryEvent } from '../shared/api/receive-registry-event.ts';
import { connection, intakeOf, onMessage } from './_handlers.ts';

app.storageQueue('registry-events', {
  queueName: 'registry-events',
  connection,
  handler: onMessage((api, message) => receiveRegistryEvent(message, intakeOf(api))),
});
