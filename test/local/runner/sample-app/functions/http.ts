/** HTTP functions whose names decide which of them answers. */
import { app, type HttpRequest, type InvocationContext } from '@azure/functions';

app.http('b-item', {
  methods: ['GET'],
  route: 'items/{id}/report',
  handler: (request) => ({ jsonBody: { id: request.params['id'], q: request.query.get('q') } }),
});
app.http('a-rest', {
  methods: ['GET'],
  route: 'files/{*path}',
  handler: (request) => ({ body: `rest ${request.params['path'] ?? ''}` }),
});
app.http('c-literal', { methods: ['GET'], route: 'files/special', handler: () => ({ body: 'literal' }) });
app.http('echo', {
  methods: ['POST'],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    context.log('got a request');
    return { status: 202, headers: { 'x-name': context.functionName }, body: await request.text() };
  },
});
app.http('echo-same-route', { methods: ['POST'], route: 'ECHO', handler: () => ({ body: 'never' }) });
app.http('echo-other-method', { methods: ['PUT'], route: 'echo', handler: () => ({ body: 'put' }) });
app.http('nothing', { methods: ['GET'], handler: () => undefined as never });
app.http('text', { methods: ['GET'], handler: () => 'a string' as never });
app.http('throws', {
  methods: ['GET'],
  handler: () => {
    throw new Error('on purpose');
  },
});
app.http('wrong-route', { methods: ['GET'], route: 'items/{id:int}', handler: () => ({ body: 'never' }) });
