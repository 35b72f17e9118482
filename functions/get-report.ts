/** GET /api/images/{digest}/report: the full report of one image. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('get-report', serve(routes.getReport));
