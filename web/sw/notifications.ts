/** Pushes on the screen: what each kind says, where a tap leads, and the receipt that tells the box it was shown. */
import type { PushPayload } from '@siphera/contract';

type Text = { title: string; body: string };
/** The worker has no page and no texts of its own; the language is that of the phone. */
const texts = {
  en: {
    message: { title: 'New message', body: 'Open Siphera to read it.' },
    call: { title: 'Incoming call', body: 'Open Siphera to answer.' },
    test: { title: 'Test of this phone', body: 'Tap here and say what you noticed.' },
    unknown: { title: 'Siphera', body: 'Something needs you. Open Siphera.' },
  },
  de: {
    message: { title: 'Neue Nachricht', body: 'Zum Lesen Siphera öffnen.' },
    call: { title: 'Eingehender Anruf', body: 'Zum Annehmen Siphera öffnen.' },
    test: { title: 'Probe dieses Telefons', body: 'Hier tippen und sagen, was Sie bemerkt haben.' },
    unknown: { title: 'Siphera', body: 'Etwas braucht Sie. Öffnen Sie Siphera.' },
  },
} as const;
const severities = {
  en: { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info' },
  de: { critical: 'Kritisch', high: 'Hoch', medium: 'Mittel', low: 'Niedrig', info: 'Info' },
} as const;
type Shown = { title: string; options: NotificationOptions & { renotify?: boolean; vibrate?: number[] } };
type Data = { path: string; receipt: string };

const alarmTag = (incidentId: string): string => `incident-${incidentId}`;

/** A push always shows something: browsers take the permission away from pages whose pushes are silent. */
export async function notify(worker: ServiceWorkerGlobalScope, data: PushMessageData | null): Promise<void> {
  const payload = read(data);
  if (payload?.kind === 'cleared') {
    await closeOfIncident(worker, payload.incident_id);
    return;
  }
  const { title, options } = shownOf(payload);
  await worker.registration.showNotification(title, options);
  if (payload) await receipt(payload.receipt, 'shown');
}

async function closeOfIncident(worker: ServiceWorkerGlobalScope, incidentId: string): Promise<void> {
  for (const shown of await worker.registration.getNotifications({ tag: alarmTag(incidentId) }))
    shown.close();
}

/** A tap: the page that is open comes to the front and goes there, or one is opened. */
export async function open(worker: ServiceWorkerGlobalScope, notification: Notification): Promise<void> {
  notification.close();
  const { path, receipt: token } = (notification.data ?? { path: '/', receipt: '' }) as Data;
  if (token !== '') void receipt(token, 'opened');
  const [client] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (!client) {
    await worker.clients.openWindow(path);
    return;
  }
  await client.focus().catch(() => undefined);
  client.postMessage({ go: path });
}

function read(data: PushMessageData | null): PushPayload | undefined {
  try {
    const payload = data?.json() as PushPayload | undefined;
    return typeof payload?.kind === 'string' ? payload : undefined;
  } catch {
    return undefined;
  }
}

function shownOf(payload: PushPayload | undefined): Shown {
  const locale = navigator.language.startsWith('de') ? 'de' : 'en';
  const data: Data = { path: pathOf(payload), receipt: payload?.receipt ?? '' };
  const base = { icon: '/icons/icon-192.png', badge: '/icons/badge-96.png', data };
  if (payload?.kind === 'alarm') {
    const isLoud = payload.severity === 'critical' || payload.severity === 'high';
    return {
      title: `${severities[locale][payload.severity]} · ${payload.title}`,
      options: {
        ...base,
        body: `${payload.place} · #${payload.number}`,
        tag: alarmTag(payload.incident_id),
        renotify: true,
        requireInteraction: isLoud,
        vibrate: isLoud ? [400, 150, 400, 150, 800] : [250],
        timestamp: Date.parse(payload.opened_at),
      } as Shown['options'],
    };
  }
  const kind = payload?.kind === 'cleared' ? 'unknown' : (payload?.kind ?? 'unknown');
  const { title, body }: Text = texts[locale][kind];
  const isCall = kind === 'call';
  return {
    title,
    options: {
      ...base,
      body,
      tag: kind,
      renotify: true,
      requireInteraction: isCall,
      vibrate: isCall ? [600, 300, 600, 300, 600] : [200],
    },
  };
}

function pathOf(payload: PushPayload | undefined): string {
  switch (payload?.kind) {
    case 'alarm':
    case 'cleared':
      return `/incidents/${payload.incident_id}`;
    case 'message':
    case 'call':
      return '/talk';
    case 'test':
      return `/phones/test?id=${encodeURIComponent(payload.subscription_id)}&receipt=${encodeURIComponent(payload.receipt)}`;
    case undefined:
      return '/';
  }
}

/** The receipt itself is the right to say so: a worker has no token. A phone away from the LAN cannot reach the box, which is no fault. */
async function receipt(token: string, state: 'shown' | 'opened'): Promise<void> {
  await fetch('/api/v1/talk/push/receipts', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Siphera-Console': '1' },
    body: JSON.stringify({ receipt: token, state }),
  }).catch(() => undefined);
}
