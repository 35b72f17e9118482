/** Queue image-events-poison: what failed for good is recorded with its cause. */
import { app } from '@azure/functions';
import { recordFailure } from '../shared/pipeline/record-failure.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('image-events-poison', {
  queueName: 'image-events-poison',
  connection,
  handler: onMessage(({ pipeline }, message) => recordFailure(pipeline, 'image-events', message)),
});
