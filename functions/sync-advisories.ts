/** Timer sync-advisories: brings the advisory index up to date, every six hours. */
import { app } from '@azure/functions';
import { syncAdvisories } from '../shared/pipeline/sync-advisories.ts';
import { onSchedule } from './_handlers.ts';

app.timer('sync-advisories', {
  schedule: '0 17 */6 * * *',
  handler: onSchedule(({ pipeline }) => syncAdvisories(pipeline)),
});
