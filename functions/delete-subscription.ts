/** DELETE /api/subscriptions/{id}: a team wants to hear no more. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('delete-subscription', serve(routes.deleteSubscription));
