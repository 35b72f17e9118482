/** Process entry for a test: starts the emulators in the given folder, writes to each, says so, and waits to be killed. */
import { createAzurePorts } from '../../shared/azure/ports.ts';
import { readSettings } from '../../shared/azure/settings.ts';
import { startEmulators } from '../../shared/local/emulators/emulators.ts';
import { silentLog } from '../../shared/ports/log.ts';

const [dataDir = ''] = process.argv.slice(2);
const emulators = await startEmulators({ dataDir });
Object.assign(process.env, emulators.env);
const ports = createAzurePorts(readSettings(emulators.env), {
  log: silentLog,
  sender: { post: () => Promise.reject(new Error('nothing is sent here')) },
});
await emulators.setSecret('kept', 'secret');
await ports.queues.send('image-events', { kept: 'message' });
await ports.blobs.createOnce('reports', 'kept', Buffer.from('blob'));
await ports.documents.create({ container: 'layers', partition: 'p', id: 'kept' }, { type: 'kept' });
process.stdout.write(`written ${JSON.stringify(emulators.env)}\n`);
setInterval(() => {}, 60_000);
