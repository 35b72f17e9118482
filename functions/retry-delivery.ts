/** POST /api/subscriptions/{id}/deliveries/{deliveryId}/retry: drives a failed delivery again. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('retry-delivery', serve(routes.retryDelivery));
