/** The rules a new site starts with, each with the steps a guard takes. `builtin` names stay the same for ever. */
import type { RuleInput } from '@siphera/contract';

export type ReadyRule = {
  /** Stored as the rule's `builtin`. */
  builtin: string;
  /** `procedure_id` of its incident is null; the caller stores `procedure` and puts its id there. */
  rule: RuleInput;
  procedure: { name: string; steps: { text: string; required: boolean }[] };
};

/** Two minutes: several heartbeats of an agent, so that one lost message or a short restart raises nothing. */
const deviceLostMs = 120_000;

export const readyRules: readonly ReadyRule[] = [
  ready('door_forced', 'Door forced', ['door.forced'], 'high', '{device} was forced open', {
    description: 'A door opened without a release.',
    steps: [
      must('Look at the nearest camera, or send someone, before you go alone'),
      must('Check who is there and whether anyone came in'),
      may('Call the police if there are signs of a break-in'),
      must('Make sure the door is closed and locked again'),
    ],
  }),
  ready('door_held', 'Door held open', ['door.held'], 'medium', '{device} is held open', {
    description: 'A door stayed open longer than its controller allows.',
    steps: [
      must('Check who holds the door open, by camera or intercom'),
      must('Ask them to close it, or close it yourself'),
      may('Tell the area’s owner if it happens again'),
    ],
  }),
  ready('panic', 'Panic and duress', panicTypes(), 'critical', '{event}: {device}', {
    description:
      'A panic button or a duress code, from a device or from an alarm panel. Never too old to ring.',
    steps: [
      must('Treat it as real: someone asks for help and may not be able to talk'),
      must('Do not call back a duress alarm: the person may be watched'),
      must('Call the police and send the response team'),
      may('Watch the nearest cameras and keep responders informed'),
      must('Find the person and confirm that they are safe'),
    ],
  }),
  ready('smoke', 'Smoke and fire', ['smoke.alarm', 'panel.fire'], 'critical', '{event}: {device}, {area}', {
    description: 'A smoke detector or the fire part of an alarm panel. Never too old to ring.',
    steps: [
      must('Call the fire brigade unless the site’s plan says to check first'),
      must('Start the evacuation of the area'),
      must('Release the doors on the escape route'),
      may('Look at the cameras of the area, and do not send anyone into smoke'),
      must('Meet the fire brigade with plan and keys'),
    ],
  }),
  ready('tamper', 'Tamper', ['tamper.alarm', 'panel.tamper'], 'high', 'Tamper: {device}', {
    description: 'A housing was opened, or a line was cut.',
    steps: [
      must('Check whether maintenance is planned there'),
      must('Send someone to look at the device'),
      must('Test the device before it counts as working again'),
    ],
  }),
  ready('glass_break', 'Glass break', ['glass_break.alarm'], 'high', 'Glass break: {device}, {area}', {
    description: 'A sensor heard or felt breaking glass.',
    steps: [
      must('Look at the cameras of the area'),
      must('Send someone to check the windows from outside'),
      may('Call the police if glass is broken'),
      must('Have the opening secured'),
    ],
  }),
  deviceLost(),
  ready('panel_alarm', 'Panel alarm', ['panel.alarm'], 'high', '{data.code_name}: {device}, {area}', {
    description: 'An intrusion alarm from an alarm panel.',
    steps: [
      must('Note which zones report, and in which order'),
      must('Look at the cameras of the area'),
      must('Send someone, or call the police, as the site’s plan says'),
      may('Call the key holder'),
      must('Have the panel reset by someone with a code'),
    ],
  }),
  ready(
    'panel_silent',
    'Panel silent',
    ['panel.supervision_lost'],
    'high',
    'Panel {data.account} is silent',
    {
      description: 'An alarm panel missed its supervision. Alarms from it cannot arrive.',
      steps: [
        must('Treat the area as unguarded until the panel is heard again'),
        must('Check power and network of the panel'),
        may('Send a patrol to the area'),
        must('Have a test sent and seen'),
      ],
    },
  ),
  ready(
    'recording_lost',
    'Recording lost',
    ['camera.recording_lost'],
    'high',
    'Nothing is recorded of {device}',
    {
      description: 'A camera that should be recorded is not. What happens there now leaves no footage.',
      steps: [
        must('See on the camera’s page what is wrong: the camera, the network, its password or the disk'),
        may('Send someone to watch the place until it is recorded again'),
        must('Check whether the camera was covered, turned or unplugged on purpose'),
        must('See it recording again before you close this'),
      ],
    },
  ),
  ready(
    'camera_storage',
    'Footage storage',
    ['camera.storage_failed', 'camera.retention_short'],
    'medium',
    '{event}: {data.storage}',
    {
      description: 'A disk for footage is full, failed or missing, or footage goes sooner than promised.',
      group: 'rule',
      steps: [
        must('See on the storage page which disk it is and what it says'),
        may('Lock footage that is needed before it goes'),
        must('Free or add room, replace the disk, or promise fewer days'),
        must('See every camera recording again before you close this'),
      ],
    },
  ),
  ready('visitor_missed', 'Visitor missed', ['intercom.missed'], 'low', 'Visitor at {device} was missed', {
    description: 'Somebody rang at a door and nobody answered.',
    steps: [
      must('Look at the camera of the door: is the visitor still there?'),
      may('Call the door station back, or go and see'),
      may('Set who is rung next when nobody answers'),
    ],
  }),
  ready('trunk_lost', 'Trunk lost', ['phone.trunk_lost'], 'medium', 'Trunk {data.trunk} is lost', {
    description:
      'The provider of a trunk is not reached. Calls out of the house, emergency calls too, go by the other trunks, if there are any.',
    group: 'rule',
    steps: [
      must('See on the page of phones what it says, and which trunks are left for emergency calls'),
      must(
        'With none left: say on the radio which mobile phone is used for emergency calls until it is back',
      ),
      may('Call the provider'),
      must('See it back, and test an emergency location, before you close this'),
    ],
  }),
  ready('test_alarm', 'Test alarm', ['system.test_alarm'], 'info', 'Test alarm by {data.channel}', {
    description: 'Shows that an alarm gets from a device to a guard’s screen. The self-test uses it.',
    group: 'none',
    steps: [may('Nothing to do: this was a test')],
  }),
];

type Steps = ReadyRule['procedure']['steps'];
type IncidentSeverity = Extract<RuleInput['actions'][number], { kind: 'incident' }>['severity'];
type Extras = { description: string; steps: Steps; group?: 'device' | 'rule' | 'none' };

function panicTypes(): string[] {
  return ['panic.pressed', 'duress.pressed', 'panel.panic', 'panel.duress'];
}

function ready(
  builtin: string,
  name: string,
  types: string[],
  severity: IncidentSeverity,
  title: string,
  extras: Extras,
): ReadyRule {
  return {
    builtin,
    rule: {
      name,
      description: extras.description,
      enabled: true,
      trigger: { kind: 'event', types, scope: {} },
      conditions: [],
      count: null,
      cooldown_ms: 0,
      actions: [
        {
          kind: 'incident',
          title,
          severity,
          group_by: extras.group ?? 'device',
          procedure_id: null,
          escalation_id: null,
        },
        { kind: 'notify', channels: ['console'], user_ids: [], group_ids: [], webhook_ids: [] },
      ],
    },
    procedure: { name, steps: extras.steps },
  };
}

function deviceLost(): ReadyRule {
  const base = ready('device_lost', 'Device lost', ['device.heartbeat'], 'medium', '{device} is lost', {
    description: 'A device that used to send heartbeats fell silent.',
    steps: [
      must('Check whether its controller, switch or power is down'),
      may('Send someone if it guards an entrance'),
      must('See it online again before you close this'),
    ],
  });
  const trigger = { ...base.rule.trigger, kind: 'absence' as const, for_ms: deviceLostMs };
  return { ...base, rule: { ...base.rule, trigger } };
}

function must(text: string): Steps[number] {
  return { text, required: true };
}

function may(text: string): Steps[number] {
  return { text, required: false };
}
