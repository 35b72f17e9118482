/** Queue rescan-pages: looks at a page of stored images again. */
import { app } from '@azure/functions';
import { handleMessage } from '../shared/pipeline/steps.ts';
import { connection, onMessage } from './_handlers.ts';

app.storageQueue('rescan-pages', {
  queueName: 'rescan-pages',
  connection,
  handler: onMessage(({ pipeline }, message, dequeueCount) =>
    handleMessage(pipeline, 'rescan-pages', message, dequeueCount),
  ),
});
