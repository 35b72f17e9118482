/** GET /api/health: what works and what does not, for a probe. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('get-health', serve(routes.getHealth));
