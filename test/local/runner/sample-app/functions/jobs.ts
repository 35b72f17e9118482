/** Queue functions and a poison function that note what they get. */
import { app, type InvocationContext } from '@azure/functions';
import { calls, failing, gate } from '../calls.ts';

app.storageQueue('jobs', { queueName: 'Jobs', connection: 'Storage', handler: note });
app.storageQueue('jobs-poison', { queueName: 'jobs-poison', connection: 'Storage', handler: note });
app.storageQueue('bad-name', { queueName: 'a_b', connection: 'Storage', handler: note });

async function note(input: unknown, context: InvocationContext): Promise<void> {
  calls.push({ function: context.functionName, input, metadata: context.triggerMetadata });
  await gate.until;
  if (failing.has(JSON.stringify(input))) {
    throw new Error('on purpose');
  }
}
