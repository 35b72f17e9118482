/** Queue image-events: plans what a push or delete means for an image. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('image-events', {
  queueName: 'image-events',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'image-events', message, dequeueCount),
  ),
});
