/** Queue refresh-jobs: reads a layer anew for newer analyzers. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('refresh-jobs', {
  queueName: 'refresh-jobs',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'refresh-jobs', message, dequeueCount),
  ),
});
