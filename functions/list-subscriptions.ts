/** GET /api/subscriptions: who hears of verdicts. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('list-subscriptions', serve(routes.listSubscriptions));
