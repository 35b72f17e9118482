/** POST /api/webhooks/acr: an Azure container registry tells of a push. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('receive-acr', serve(routes.receiveAcr));
