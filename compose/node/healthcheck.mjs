// Healthy when the service answers on its own metrics listener: HEALTH_PORT, or HEALTH_SOCKET where it opens no port. Both
// are set by docker-compose.yml.
import { get } from 'node:http';

const { HEALTH_PORT = '7180', HEALTH_SOCKET } = process.env;
const where = HEALTH_SOCKET ? { socketPath: HEALTH_SOCKET } : { host: '127.0.0.1', port: HEALTH_PORT };
get({ ...where, path: '/healthz', timeout: 3_000 }, (answer) => {
  if (answer.statusCode === 200) process.exit(0);
  console.error(`/healthz answered ${answer.statusCode}`);
  process.exit(1);
}).on('timeout', () => {
  console.error('/healthz does not answer');
  process.exit(1);
});
