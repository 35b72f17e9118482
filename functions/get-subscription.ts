/** GET /api/subscriptions/{id}: one subscription. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('get-subscription', serve(routes.getSubscription));
