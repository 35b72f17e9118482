/** GET /api/images/{digest}: what is known of one image. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('get-image', serve(routes.getImage));
