/** Queue judge-jobs: judges an image at a place. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('judge-jobs', {
  queueName: 'judge-jobs',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'judge-jobs', message, dequeueCount),
  ),
});
