/** `npm run lab`: a building on a box. See scripts/src/lab/options.ts for what it takes. */
import { readOptions, usage, UsageError } from './lab/options.ts';
import { runLab } from './lab/run-lab.ts';

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') process.stdout.write(usage);
  else process.exitCode = await runLab(options);
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage}`);
  else process.stderr.write(`lab: ${messages(error)}\n`);
  process.exitCode = error instanceof UsageError ? 64 : 1;
}

function messages(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 4; at = at.cause)
    parts.push(at.message);
  return parts.join(': ');
}
