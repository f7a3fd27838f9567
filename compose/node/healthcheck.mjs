// Healthy when the service answers on its own metrics port. HEALTH_PORT is set by docker-compose.yml.
const port = process.env['HEALTH_PORT'] ?? '7180';
const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(3_000) });
if (!answer.ok) throw new Error(`/healthz answered ${answer.status}`);
