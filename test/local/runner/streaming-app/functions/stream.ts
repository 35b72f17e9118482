/** HTTP functions that take and give bodies as streams. */
import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });
app.http('count', {
  methods: ['POST'],
  handler: async (request) => {
    let bytes = 0;
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
    }
    return { jsonBody: { bytes, url: request.url, token: request.headers.get('authorization') } };
  },
});
app.http('refuse', { methods: ['POST'], handler: () => ({ status: 401, body: 'no' }) });
app.http('item', {
  methods: ['GET'],
  route: 'items/{id}',
  handler: (request) => ({ jsonBody: request.params }),
});
app.http('nothing', { methods: ['GET'], handler: () => undefined as never });
app.http('throws', {
  methods: ['POST'],
  handler: () => {
    throw new Error('on purpose');
  },
});
