/** POST /api/webhooks/distribution: a Distribution registry tells of a push. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('receive-distribution', serve(routes.receiveDistribution));
