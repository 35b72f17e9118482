/** GET /api/subscriptions/{id}/deliveries: what was told and what became of it. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('list-deliveries', serve(routes.listDeliveries));
