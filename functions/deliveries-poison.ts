/** Queue deliveries-poison: what failed for good is recorded with its cause. */
import { app } from '@azure/functions';
import { recordFailure } from '../shared/pipeline/record-failure.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('deliveries-poison', {
  queueName: 'deliveries-poison',
  connection,
  handler: onMessage(({ pipeline }, message) => recordFailure(pipeline, 'deliveries', message)),
});
