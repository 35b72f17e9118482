/** GET /api/images: lists what is known. */
import { app } from '@azure/functions';
import { routes } from '../shared/api/routes.ts';
import { serve } from './_handlers.ts';

app.http('list-images', serve(routes.listImages));
