/** Timer rescan-images: visits every stored image, every day. */
import { app } from '@azure/functions';
import { rescanImages } from '../shared/pipeline/rescan.ts';
import { onSchedule } from './_handlers.ts';

app.timer('rescan-images', {
  schedule: '0 30 3 * * *',
  handler: onSchedule(({ pipeline }) => rescanImages(pipeline)),
});
