/** Queue registry-events-poison: what failed for good is recorded with its cause. */
import { app } from '@azure/functions';
import { recordFailure } from '../shared/pipeline/record-failure.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('registry-events-poison', {
  queueName: 'registry-events-poison',
  connection,
  handler: onMessage(({ pipeline }, message) => recordFailure(pipeline, 'registry-events', message)),
});
