/** Reference pages made from the contract: event types, error codes, permissions. */
import {
  type EventClass,
  errorCodes,
  eventClasses,
  eventTypes,
  Permission,
  Role,
  type Route,
  rolePermissions,
  routes,
} from '@siphera/contract';
import { z } from 'zod';
import { generatedNote, table } from './markdown.ts';

export function eventTypesPage(): string {
  const classes = Object.entries(eventClasses).map(([name, { alarm, late_ms_max }]) => [
    `\`${name}\``,
    alarm ? 'yes' : 'no',
    late_ms_max === null ? 'never too old' : duration(late_ms_max),
  ]);
  const types = Object.entries(eventTypes).map(([type, { class: klass, version, title, nature, data }]) => [
    `\`${type}\``,
    title,
    `\`${klass satisfies EventClass}\``,
    nature,
    String(version),
    dataFields(data),
  ]);
  return page('Event types', [
    'The `type` of an event decides its class and the schema of its `data`. An event of an unknown type, or whose data',
    'does not fit, is kept as a dead letter with the reason. `data` may carry more fields than those listed.',
    '',
    '## Classes',
    '',
    'An event that arrives later than the age in the last column is recorded and fires no rule.',
    '',
    table(['Class', 'Alarm', 'Late events fire up to'], classes),
    '',
    '## Types',
    '',
    '`edge` may trigger once per arrival, `level` describes a state that holds until the next event.',
    '',
    table(['Type', 'Title', 'Class', 'Nature', 'Version', 'Data'], types),
  ]);
}

export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { status, title }]) => [
    `\`${code}\``,
    String(status),
    title,
  ]);
  return page('Error codes', [
    'A refusal is `application/problem+json` (RFC 9457) with one of these in `code`. `detail` says what happened, `hint`',
    'what to do about it, `errors` lists the fields that failed, `trace_id` leads to the log lines.',
    '',
    table(['Code', 'Status', 'Title'], rows),
  ]);
}

export function permissionsPage(): string {
  const roles = Role.options;
  const matrix = Permission.options.map((permission) => [
    `\`${permission}\``,
    ...roles.map((role) => (rolePermissions[role].includes(permission) ? 'yes' : '')),
  ]);
  const operations = Object.entries(routes as Record<string, Route>)
    .sort(([, a], [, b]) => (a.access < b.access ? -1 : a.access > b.access ? 1 : 0))
    .map(([name, route]) => [
      `\`${route.access}\``,
      `\`${name}\``,
      `${route.method.toUpperCase()} ${route.path}`,
      route.summary,
    ]);
  return page('Permissions', [
    'A role binding gives a role to a user or a group on a scope: the org, a site, an area or a device. It holds for',
    'everything below that scope.',
    '',
    '## Roles',
    '',
    table(['Permission', ...roles], matrix),
    '',
    '## Operations',
    '',
    '`public` asks for no token, `signed_in` for any.',
    '',
    table(['Access', 'Operation', 'Request', 'What it does'], operations),
  ]);
}

const page = (title: string, lines: readonly string[]): string =>
  `${[`# ${title}`, '', generatedNote, '', ...lines].join('\n')}\n`;

function dataFields(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  return Object.keys(properties)
    .map((name) => (required.includes(name) ? `**${name}**` : name))
    .join(', ');
}

function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}
