/** ONVIF events by pull point (Core specification, chapter 9): subscribe, long poll, renew, unsubscribe. */
import { capabilitiesOf } from './device-service.ts';
import { type Call, durationMs, isoTime, type Operation, type Service, tag } from './service.ts';
import { invalidArgument, namespaces, SoapFault } from './soap.ts';
import { type Notification, pull, type Subscription } from './subscriptions.ts';
import { child, escapeXml, textOf } from './xml.ts';

export const subscriptionPath = '/onvif/subscription/';

const lifeMsDefault = 60_000;
/** A camera keeps no subscription longer than this without a renewal. */
const lifeMsMax = 3_600_000;
const pullMsMax = 60_000;

export const topics = {
  cellMotion: 'tns1:RuleEngine/CellMotionDetector/Motion',
  motionAlarm: 'tns1:VideoSource/MotionAlarm',
  line: 'tns1:RuleEngine/LineDetector/Crossed',
  tamper: 'tns1:RuleEngine/TamperDetector/Tamper',
  digitalInput: 'tns1:Device/Trigger/DigitalInput',
  relay: 'tns1:Device/Trigger/Relay',
} as const;

/** A duration or an absolute time of the camera's clock, as milliseconds from now. */
function lifeMs(text: string | undefined, nowMs: number): number {
  if (text === undefined || text === '') return lifeMsDefault;
  const wanted = durationMs(text) ?? Date.parse(text) - nowMs;
  if (!(wanted > 0)) {
    throw new SoapFault({ reason: `No end: ${text}`, subcodes: ['wsnt:UnacceptableTerminationTimeFault'] });
  }
  return Math.min(wanted, lifeMsMax);
}

/** WS-Addressing names the operation and, where the request has an id, what is answered. */
export function addressing(action: string, relatesTo: string | undefined): string {
  const related = relatesTo === undefined ? '' : tag('wsa:RelatesTo', escapeXml(relatesTo));
  return `${tag('wsa:Action', action)}${related}`;
}

function subscriptionOf({ subscription }: Call): Subscription {
  if (!subscription) {
    throw new SoapFault({
      reason: 'There is no such subscription',
      subcodes: ['wsrf-rw:ResourceUnknownFault'],
    });
  }
  return subscription;
}

/** CurrentTime and TerminationTime, by the camera's clock. */
function times(call: Call, subscription: Subscription, prefix: string): string {
  const now = call.camera.now();
  const end = now + (subscription.endsAtMs - performance.now());
  return tag(`${prefix}:CurrentTime`, isoTime(now)) + tag(`${prefix}:TerminationTime`, isoTime(end));
}

const createPullPointSubscription: Operation = (call) => {
  const { request, camera } = call;
  if (camera.subscriptions.size >= camera.spec.subscriptionsMax) {
    throw new SoapFault({
      reason: 'All pull points are taken',
      subcodes: ['wsnt:SubscribeCreationFailedFault'],
      sender: false,
    });
  }
  const life = lifeMs(textOf(request, 'InitialTerminationTime'), camera.now());
  const subscription = camera.subscriptions.add(child(request, 'Filter'), life);
  camera.offerProperties(subscription);
  const address = tag('wsa:Address', camera.httpUrl(subscriptionPath + subscription.id));
  return tag(
    'tev:CreatePullPointSubscriptionResponse',
    tag('tev:SubscriptionReference', address) + times(call, subscription, 'wsnt'),
  );
};

const pullMessages: Operation = async (call) => {
  const subscription = subscriptionOf(call);
  const timeoutMs = durationMs(textOf(call.request, 'Timeout'));
  const limit = Number(textOf(call.request, 'MessageLimit'));
  if (timeoutMs === undefined || !(limit > 0))
    throw invalidArgument('ter:InvalidArgs', 'Timeout and MessageLimit');
  const waitMs = Math.min(timeoutMs, pullMsMax);
  // "The subscription should be active for at least the timeout of the request", from the answer on too.
  const keep = () => {
    if (call.camera.faults.pullDoesNotRenew === true) return;
    subscription.endsAtMs = Math.max(subscription.endsAtMs, performance.now() + waitMs);
  };
  keep();
  const messages = await pull(subscription, limit, waitMs);
  if (subscription.ended) subscriptionOf({ ...call, subscription: undefined });
  keep();
  return tag(
    'tev:PullMessagesResponse',
    times(call, subscription, 'tev') + messages.map((one) => notificationXml(one)).join(''),
  );
};

function notificationXml({ topic, source, data, operation, atMs }: Notification): string {
  const items = (name: string, values: Readonly<Record<string, string>>) =>
    tag(
      name,
      Object.entries(values)
        .map(([key, value]) => tag('tt:SimpleItem', '', { Name: key, Value: value }))
        .join(''),
    );
  const attributes = { UtcTime: isoTime(atMs), ...(operation ? { PropertyOperation: operation } : {}) };
  const message = tag('tt:Message', items('tt:Source', source) + items('tt:Data', data), attributes);
  const dialect = 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet';
  return tag(
    'wsnt:NotificationMessage',
    tag('wsnt:Topic', topic, { Dialect: dialect }) + tag('wsnt:Message', message),
  );
}

const renew: Operation = (call) => {
  const subscription = subscriptionOf(call);
  subscription.endsAtMs =
    performance.now() + lifeMs(textOf(call.request, 'TerminationTime'), call.camera.now());
  return tag('wsnt:RenewResponse', times(call, subscription, 'wsnt'));
};

const unsubscribe: Operation = (call) => {
  call.camera.subscriptions.remove(subscriptionOf(call));
  return tag('wsnt:UnsubscribeResponse');
};

const setSynchronizationPoint: Operation = (call) => {
  call.camera.offerProperties(subscriptionOf(call));
  return tag('tev:SetSynchronizationPointResponse');
};

type Description = {
  topic: string;
  property: boolean;
  source: Readonly<Record<string, string>>;
  data: Readonly<Record<string, string>>;
};

const ruleSource = {
  VideoSourceConfigurationToken: 'tt:ReferenceToken',
  VideoAnalyticsConfigurationToken: 'tt:ReferenceToken',
  Rule: 'xs:string',
};
const descriptions: readonly Description[] = [
  { topic: topics.cellMotion, property: true, source: ruleSource, data: { IsMotion: 'xs:boolean' } },
  {
    topic: topics.motionAlarm,
    property: true,
    source: { Source: 'tt:ReferenceToken' },
    data: { State: 'xs:boolean' },
  },
  { topic: topics.line, property: false, source: ruleSource, data: { ObjectId: 'xs:integer' } },
  { topic: topics.tamper, property: true, source: ruleSource, data: { IsTamper: 'xs:boolean' } },
  {
    topic: topics.digitalInput,
    property: true,
    source: { InputToken: 'tt:ReferenceToken' },
    data: { LogicalState: 'xs:boolean' },
  },
  {
    topic: topics.relay,
    property: true,
    source: { RelayToken: 'tt:ReferenceToken' },
    data: { LogicalState: 'tt:RelayLogicalState' },
  },
];

function topicXml({ topic, property, source, data }: Description): string {
  const items = (name: string, values: Readonly<Record<string, string>>) =>
    tag(
      name,
      Object.entries(values)
        .map(([key, type]) => tag('tt:SimpleItemDescription', '', { Name: key, Type: type }))
        .join(''),
    );
  const description = tag('tt:MessageDescription', items('tt:Source', source) + items('tt:Data', data), {
    IsProperty: property,
  });
  const [root = '', ...path] = topic.split('/');
  return [root, ...path].reduceRight(
    (inner, name, depth) => tag(name, inner, depth === path.length ? { 'wstop:topic': true } : {}),
    description,
  );
}

const getEventProperties: Operation = () => {
  const set = descriptions.map(topicXml).join('');
  return tag(
    'tev:GetEventPropertiesResponse',
    '<tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>' +
      `<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet>${tag('wstop:TopicSet', set)}` +
      '<wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet</wsnt:TopicExpressionDialect>' +
      '<wsnt:TopicExpressionDialect>http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete</wsnt:TopicExpressionDialect>' +
      '<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect>' +
      '<tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation>',
  );
};

export const eventService: Service = {
  GetServiceCapabilities: (call) =>
    capabilitiesOf('tev', {
      WSSubscriptionPolicySupport: false,
      WSPullPointSupport: true,
      MaxPullPoints: call.camera.spec.subscriptionsMax,
      PersistentNotificationStorage: false,
    })(call),
  GetEventProperties: getEventProperties,
  CreatePullPointSubscription: createPullPointSubscription,
  PullMessages: pullMessages,
  SetSynchronizationPoint: setSynchronizationPoint,
};

/** Renew and Unsubscribe are WS-Notification's own. */
export const notificationService: Service = { Renew: renew, Unsubscribe: unsubscribe };

/** The wsa:Action of an answer, for the services that use WS-Addressing. */
export function actionOf(namespace: string, operation: string): string | undefined {
  if (namespace === namespaces.tev) {
    const port =
      operation === 'CreatePullPointSubscription' || operation.startsWith('Get')
        ? 'EventPortType'
        : 'PullPointSubscription';
    return `${namespace}/${port}/${operation}Response`;
  }
  if (namespace === namespaces.wsnt)
    return `http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/${operation}Response`;
  return undefined;
}
