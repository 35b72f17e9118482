/** GET /api/gate: whether an image may run. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('ask-gate', serve(routes.askGate));
