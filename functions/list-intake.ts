/** GET /api/intake: what came in and will not be scanned. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('list-intake', serve(routes.listIntake));
