/** What the plan part gives Kamailio of numbers and of the plan. Those of trunks are in `trunk.ts`, those of places in `location-tables.ts`. */
import type { InternalPerson, NumberPlan } from '@siphera/contract';
import type { PlannedExtension } from '../plan.part.ts';
import { emergencyForms, prefixClasses } from './number-plan.ts';
import { classesOfExtension } from './role-classes.ts';
import { fields, fieldText, type SwitchTables } from './switch-tables.ts';

/** Kamailio rings at most so many members of a group. */
const membersMax = 64;

export type Located = { loc: string; by: 'phone' | 'area' | 'last_known' | 'site' };
export type PlanInput = {
  plan: NumberPlan;
  extensions: readonly PlannedExtension[];
  /** auth_username and HA1 of those that have a secret for this realm. */
  accounts: readonly { extensionId: string; authUsername: string; ha1: string }[];
  person: (userId: string) => InternalPerson | undefined;
  locate: (extension: PlannedExtension) => Located | undefined;
  /** Numbers of the trunks that are on: others do not ring here, and are not shown. */
  outsideNumbers: ReadonlySet<string>;
};

export function planTables(input: PlanInput): Partial<SwitchTables> {
  const { plan, extensions } = input;
  return {
    tables: {
      account: accountTable(input),
      number: Object.fromEntries(
        extensions.map((extension) => [extension.number, numberFields(input, extension)]),
      ),
      member: Object.fromEntries(
        extensions
          .filter(({ kind }) => kind === 'group')
          .map((group) => [group.number, membersOf(input, group).join(' ')]),
      ),
      prefix: prefixClasses(plan),
      emergency: Object.fromEntries(
        [...emergencyForms(plan)].map(([dialled, { to, mode }]) => [dialled, fields({ to, mode })]),
      ),
      setting: settingTable(input),
    },
  };
}

/** Who has left signs in no more; calls for help need no signing in. */
function accountTable({ extensions, accounts, person }: PlanInput): Record<string, string> {
  const byId = new Map(extensions.map((extension) => [extension.id, extension]));
  return Object.fromEntries(
    accounts.flatMap(({ extensionId, authUsername, ha1 }) => {
      const extension = byId.get(extensionId);
      if (!extension || extension.kind === 'group') return [];
      if (extension.user_id !== null && person(extension.user_id)?.active !== true) return [];
      const kind = extension.kind === 'door' ? 'door' : 'phone';
      return [[authUsername, fields({ number: extension.number, ha1, kind })]];
    }),
  );
}

function numberFields(input: PlanInput, extension: PlannedExtension): string {
  const { plan, person, locate, outsideNumbers } = input;
  const user = extension.user_id === null ? undefined : person(extension.user_id);
  const located = locate(extension);
  const own = extension.outside_number;
  return fields({
    kind: extension.kind,
    classes: classesOfExtension(plan, extension, user).join(','),
    cap: extension.daily_cap ?? plan.daily_cap,
    // Its own alone: the plan's is a setting, and in an emergency call the call-back number of the place comes before that.
    out: own !== null && outsideNumbers.has(own) ? own : undefined,
    loc: located?.loc,
    locby: located?.by,
    ring: extension.ring_s,
    fallback: extension.fallback ?? undefined,
    rings: extension.rings ?? undefined,
    // Last: free text.
    name: fieldText(extension.name),
  });
}

/** Who is on duty and has a number rings too. Members that are groups are not gone into: nobody rings twice by two ways. */
export function membersOf(
  { extensions, person }: Pick<PlanInput, 'extensions' | 'person'>,
  group: PlannedExtension,
): string[] {
  const onDuty = group.duty
    ? extensions
        .filter(({ kind, user_id: userId, org_id: org }) => {
          const user =
            kind === 'user' && userId !== null && org === group.org_id ? person(userId) : undefined;
          return user?.active === true && user.on_duty;
        })
        .map(({ number }) => number)
    : [];
  const known = new Set(extensions.map(({ number }) => number));
  return [...new Set([...group.members, ...onDuty])]
    .filter((number) => known.has(number))
    .slice(0, membersMax);
}

const shownNumber = (plan: NumberPlan, outsideNumbers: ReadonlySet<string>): string | undefined =>
  plan.outside_number !== null && outsideNumbers.has(plan.outside_number) ? plan.outside_number : undefined;

function settingTable({ plan, extensions, outsideNumbers }: PlanInput): Record<string, string> {
  const desk = extensions.some(({ number }) => number === plan.desk) ? plan.desk : null;
  const settings = {
    country_code: plan.country_code,
    national_prefix: plan.national_prefix,
    international_prefix: plan.international_prefix,
    area_code: plan.area_code,
    outside_prefixes: plan.outside_prefixes.join(','),
    out: shownNumber(plan, outsideNumbers) ?? '',
    desk: desk ?? '',
    calls_max: String(plan.calls_at_once_max),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''));
}
