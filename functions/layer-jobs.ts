/** Queue layer-jobs: reads a layer once. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('layer-jobs', {
  queueName: 'layer-jobs',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'layer-jobs', message, dequeueCount),
  ),
});
