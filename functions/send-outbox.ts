/** Timer send-outbox: sends what a crash left unsent, every five minutes. */
import { app } from '@azure/functions';
import { sendOldOutboxes } from '../shared/pipeline/send-outbox.ts';
import { onSchedule } from './_handlers.ts';

app.timer('send-outbox', {
  schedule: '30 */5 * * * *',
  handler: onSchedule(({ pipeline }) => sendOldOutboxes(pipeline)),
});
