/** Queue deliveries: sends one notification. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('deliveries', {
  queueName: 'deliveries',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'deliveries', message, dequeueCount),
  ),
});
