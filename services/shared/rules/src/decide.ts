/** Resolves the actions of a rule for one occurrence: titles filled, targets named, group keys made. */
import { keyOf, type Occurrence } from './occurrence.ts';
import { fillTemplate } from './template.ts';
import type { ActionDecision, Decision, EngineRule, RuleAction, TraceStep } from './types.ts';
import { durationWords, shorten } from './words.ts';

export function decide(rule: EngineRule, occurrence: Occurrence, key: string, steps: TraceStep[]): Decision {
  const actions = rule.actions.map((action) => resolve(action, occurrence, steps));
  return {
    rule_id: rule.id,
    rule_name: rule.name,
    rule_version: rule.version,
    org_id: rule.org_id,
    site_id: rule.site_id,
    key,
    event_seq: occurrence.seq,
    occurred_ms: occurrence.occurred_ms,
    acted_ms: occurrence.received_ms,
    late_ms: occurrence.late_ms,
    device_id: occurrence.device?.id,
    area_id: occurrence.area?.id,
    test: occurrence.test,
    actions: actions.filter((action) => action !== undefined),
  };
}

function resolve(action: RuleAction, occurrence: Occurrence, steps: TraceStep[]): ActionDecision | undefined {
  if (action.kind === 'incident') {
    const title = fillTemplate(action.title, occurrence);
    steps.push({ what: 'Incident', passed: true, detail: `“${title}”, ${action.severity}` });
    return {
      kind: 'incident',
      title,
      severity: action.severity,
      group_key: action.group_by === 'none' ? null : keyOf(action.group_by, occurrence),
      procedure_id: action.procedure_id,
      escalation_id: action.escalation_id,
    };
  }
  if (action.kind === 'notify') {
    const { channels, user_ids, group_ids, webhook_ids } = action;
    steps.push({ what: 'Notify', passed: true, detail: `By ${channels.join(', ')}` });
    return { kind: 'notify', channels, user_ids, group_ids, webhook_ids };
  }
  if (action.kind === 'call') return resolveCall(action, occurrence, steps);
  return resolveCommand(action, occurrence, steps);
}

/** Longest text that is spoken: some twenty seconds. */
const sayCharsMax = 400;

/** A test must not get anybody out of bed. */
function resolveCall(
  action: Extract<RuleAction, { kind: 'call' }>,
  occurrence: Occurrence,
  steps: TraceStep[],
): ActionDecision | undefined {
  const what = 'Call by phone';
  if (occurrence.test) {
    steps.push({ what, passed: false, detail: 'Nobody is called: this was a test' });
    return undefined;
  }
  const { user_ids, group_ids, numbers, rounds, ring_s } = action;
  const late = occurrence.late_ms > 0 ? `Reported ${durationWords(occurrence.late_ms)} late: ` : '';
  const say = `${late}${fillTemplate(action.say, occurrence, sayCharsMax)}`;
  steps.push({ what, passed: true, detail: `“${shorten(say)}”` });
  return { kind: 'call', user_ids, group_ids, numbers, say, rounds, ring_s };
}

function resolveCommand(
  action: Extract<RuleAction, { kind: 'command' }>,
  occurrence: Occurrence,
  steps: TraceStep[],
): ActionDecision | undefined {
  const target = action.target === 'trigger' ? occurrence.device?.id : action.target;
  const what = `Command ${action.name}`;
  if (target === undefined) {
    steps.push({ what, passed: false, detail: 'Not sent: the event came from no known device' });
    return undefined;
  }
  // A door that should have opened for someone an hour ago must not open now for whoever stands there.
  if (action.name === 'unlock' && occurrence.late_ms > 0) {
    const detail = `Not sent: the event came ${durationWords(occurrence.late_ms)} late, and a door is not unlocked afterwards`;
    steps.push({ what, passed: false, detail });
    return undefined;
  }
  steps.push({
    what,
    passed: true,
    detail: target === occurrence.device?.id ? 'To the device that triggered' : 'To a fixed device',
  });
  return { kind: 'command', device_id: target, name: action.name, args: action.args };
}
