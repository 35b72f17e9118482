/** POST /api/scans: scans an image now. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('create-scan', serve(routes.createScan));
