/** A webhook's far end as a process of its own: run in another network namespace, it says on stdout what it was sent. */
import { createServer } from 'node:http';

const [host = '', port = ''] = process.argv.slice(2);
const failed = new Set<string>();

/** `/ok` takes all, `/flaky` fails once for each id, `/down` always, `/moved` points elsewhere. */
function answer(path: string, id: string): number {
  if (path === '/down') return 503;
  if (path === '/moved') return 307;
  if (path !== '/flaky' || failed.has(id)) return 204;
  failed.add(id);
  return 500;
}

createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString('utf8')));
  request.on('end', () => {
    const { url: path = '', headers } = request;
    process.stdout.write(`${JSON.stringify({ path, headers, body })}\n`);
    response.writeHead(answer(path, String(headers['webhook-id'])), {
      location: `http://${host}:${port}/ok`,
    });
    response.end();
  });
}).listen(Number(port), host, () => process.stdout.write('"ready"\n'));
