/** POST /api/subscriptions/{id}/test: sends a message to try a subscription. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('test-subscription', serve(routes.testSubscription));
