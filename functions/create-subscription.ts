/** POST /api/subscriptions: a team wants to hear of verdicts. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('create-subscription', serve(routes.createSubscription));
