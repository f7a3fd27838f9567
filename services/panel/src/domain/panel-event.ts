/** Turns reports into CloudEvents of the contract. */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { locate, type Account, type Place, type Transport } from './account.ts';
import type { Message } from './judge.ts';
import { reassuringTypes, type Report } from './report.ts';

/** An occurrence time (extended data H) is believed this far back; panels keep reports for days when a line is down. */
const occurredMsMax = 30 * 86_400_000;
/** A panel's time that differs by more is shown to people as wrong. */
const clockOffMsMax = 60_000;

export type EventContext = {
  message: Message;
  account: Account | undefined;
  eventId: string;
  receivedMs: number;
  transport: Transport;
  traceparent: string;
  /** Set when the panel's time failed the test too often to go on refusing: the panel would hang. */
  timeUntrusted: boolean;
};

export const eventSource = (account: string): string => `panel/${account}`;

/** One event per report; their ids are the message's id, numbered from the second on. */
export function toEvents(context: EventContext): IncomingEvent[] {
  return context.message.reports.map((report, index) =>
    toEvent(context, report, index === 0 ? context.eventId : `${context.eventId}-${index + 1}`),
  );
}

function toEvent(context: EventContext, original: Report, id: string): IncomingEvent {
  const { message, account, receivedMs } = context;
  const report = context.timeUntrusted ? distrust(original) : original;
  const place = locate(account, report.partition, report.zone);
  return {
    specversion: '1.0',
    id,
    source: eventSource(message.account),
    type: report.type,
    time: toRfc3339(happenedMs(message, receivedMs)),
    datacontenttype: 'application/json',
    traceparent: context.traceparent,
    ...(place.subject === undefined || armsArea(report, place) ? {} : { subject: place.subject }),
    ...(place.areaId === undefined ? {} : { areaid: place.areaId }),
    ...scopeOf(account),
    data: prune({
      account: message.account.slice(0, 16),
      panel_name: account && account.name !== '' ? account.name : undefined,
      partition: report.partition?.slice(0, 8),
      partition_name: place.partitionName,
      zone: report.zone?.slice(0, 8),
      zone_name: place.zoneName ?? report.panelName?.slice(0, 120),
      user: report.user?.slice(0, 16),
      code: report.code.slice(0, 8),
      code_name: report.codeName.slice(0, 120),
      qualifier: report.qualifier,
      protocol: message.protocol,
      text: report.text,
      data_account: report.dataAccount,
      verification: message.verification,
      sequence_number: message.sequence,
      transport: context.transport,
      encrypted: message.encrypted,
      panel_time: message.stampMs === undefined ? undefined : toRfc3339(message.stampMs),
      clock_suspect: isClockOff(message, receivedMs) ? true : undefined,
    }),
  };
}

/** A report of opening or closing is about the area it arms; with a device as subject, that device's area would be armed. */
const armsArea = (report: Report, place: Place): boolean =>
  place.areaId !== undefined && (report.type === 'panel.opened' || report.type === 'panel.closed');

export const scopeOf = (account: Account | undefined): Record<string, string> => ({
  ...(account?.orgId ? { orgid: account.orgId } : {}),
  ...(account?.siteId ? { siteid: account.siteId } : {}),
});

/**
 * The timestamp of a message is when it was sent, so our own clock is better; only an occurrence time is the panel's to
 * tell, and only a plausible one: a panel in the wrong year must not make its alarms "too late to ring".
 */
function happenedMs(message: Message, receivedMs: number): number {
  const { occurredMs } = message;
  const plausible =
    occurredMs !== undefined &&
    !isClockOff(message, receivedMs) &&
    occurredMs <= receivedMs &&
    receivedMs - occurredMs <= occurredMsMax;
  return plausible ? occurredMs : receivedMs;
}

const isClockOff = (message: Message, receivedMs: number): boolean =>
  message.stampMs !== undefined && Math.abs(message.stampMs - receivedMs) > clockOffMsMax;

/**
 * A report whose time cannot be trusted may be a recording. As an alarm it goes through, for a false alarm is the
 * smaller harm; as news that all is well it does not.
 */
function distrust(report: Report): Report {
  if (!reassuringTypes.has(report.type)) return report;
  return {
    ...report,
    type: 'panel.trouble',
    qualifier: 'event',
    codeName: `Not trusted, the panel's clock is wrong: ${report.codeName}`,
  };
}

const prune = (data: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
