/** One camera by ONVIF: what it is, its streams, PTZ, ports, clock and events. The package below is `bounded-cam.ts`'s matter. */
import type { PtzAction } from '@siphera/contract';
import type { z } from 'zod';
import { atHost, httpSchemes, type Endpoint } from '../../domain/address.ts';
import type { Login } from '../../domain/camera-row.ts';
import {
  readClock,
  readConformance,
  readDeviceInformation,
  readMac,
  readPorts,
  readPresets,
  readPresetToken,
  readProfiles,
  readUri,
  type DeviceInformation,
  type MediaProfile,
} from '../../domain/onvif/answers.ts';
import { readNotifications, type Notification } from '../../domain/onvif/notifications.ts';
import { escapeXml, find, textAt, type XmlNode } from '../../domain/onvif/xml.ts';
import type { CameraNetwork } from '../camera-network.ts';
import { BoundedCam } from './bounded-cam.ts';
import { asOnvifError, OnvifError } from './onvif-error.ts';

const requestMsDefault = 5_000;

export type Subscription = { address: string; reference: string };

/** Media profiles are read by Media2 where the camera has it (Profile T), else by Media. */
export class OnvifCamera {
  readonly endpoint: Endpoint;
  readonly #cam: BoundedCam;
  readonly #now: () => number;
  #offsetMs: number | undefined;
  #services = false;

  constructor(options: {
    endpoint: Endpoint;
    login: Login | undefined;
    network: CameraNetwork;
    now: () => number;
    timeoutMs?: number;
  }) {
    const { endpoint, login } = options;
    this.endpoint = endpoint;
    this.#now = options.now;
    this.#cam = new BoundedCam(
      {
        hostname: endpoint.host,
        port: endpoint.port,
        path: endpoint.path,
        useSecure: endpoint.secure,
        autoconnect: false,
        timeout: options.timeoutMs ?? requestMsDefault,
        ...login,
      },
      options.network,
    );
  }

  /** The camera's clock minus ours, as last read; WS-Security timestamps are corrected by it. */
  get clockOffsetMs(): number | undefined {
    return this.#offsetMs;
  }

  get hasPtz(): boolean {
    return this.#has('ptz');
  }

  get hasEvents(): boolean {
    return this.#has('events');
  }

  /** Media2, as Profile T has it. */
  get hasMedia2(): boolean {
    return this.#cam.media2Support === true;
  }

  /** Reads the clock, which needs no credentials (Core §8.3.3), so that those that come next carry a time it takes. */
  async readClock(): Promise<number> {
    const before = this.#now();
    delete this.#cam.timeShift;
    const root = await this.#cam.invoke((done) => this.#cam.getSystemDateAndTime(done));
    const clockMs = readClock(root);
    // Whole seconds: half of one is the likeliest rest.
    this.#offsetMs = clockMs === undefined ? 0 : Math.round(clockMs + 500 - (before + this.#now()) / 2);
    return this.#offsetMs;
  }

  /** Where its services are (GetServices, else GetCapabilities). */
  async connect(): Promise<void> {
    if (this.#offsetMs === undefined) await this.readClock();
    try {
      await this.#cam.invoke((done) => this.#cam.getServices(false, done));
    } catch (error) {
      if (!(error instanceof OnvifError) || error.kind === 'unreachable' || error.kind === 'unauthorised')
        throw error;
      await this.#cam.invoke((done) => this.#cam.getCapabilities(done));
    }
    this.#services = true;
  }

  async deviceInformation(): Promise<DeviceInformation> {
    return readDeviceInformation(await this.#cam.invoke((done) => this.#cam.getDeviceInformation(done)));
  }

  async conformance(): Promise<('S' | 'T' | 'G')[]> {
    return readConformance(await this.#cam.invoke((done) => this.#cam.getScopes(done)));
  }

  async mac(): Promise<string | null> {
    return readMac(await this.#cam.invoke((done) => this.#cam.getNetworkInterfaces(done)));
  }

  async profiles(): Promise<MediaProfile[]> {
    const root = await this.#cam
      .invoke((done) => this.#cam.getProfiles(done))
      .catch((error: unknown) => {
        // Media2 that is announced but does not work: some cameras have both, and Media does.
        if (!this.hasMedia2 || !(error instanceof OnvifError) || error.kind === 'unreachable') throw error;
        this.#cam.media2Support = false;
        return this.#cam.invoke((done) => this.#cam.getProfiles(done));
      });
    return readProfiles(root);
  }

  async streamUri(profileToken: string): Promise<string | undefined> {
    const options = { protocol: 'RTSP', stream: 'RTP-Unicast', profileToken: escapeXml(profileToken) };
    return readUri(await this.#cam.invoke((done) => this.#cam.getStreamUri(options, done)));
  }

  async snapshotUri(profileToken: string): Promise<string | undefined> {
    const options = { profileToken: escapeXml(profileToken) };
    const uri = readUri(await this.#cam.invoke((done) => this.#cam.getSnapshotUri(options, done)));
    return uri === undefined ? undefined : atHost(uri, this.endpoint.host, httpSchemes);
  }

  /** @throws OnvifError, also when what comes is no JPEG. */
  async picture(url: string, timeoutMs = requestMsDefault): Promise<Buffer> {
    const answer = await asOnvifError(this.#cam.picture(url, timeoutMs));
    if (answer.status === 401)
      throw new OnvifError('unauthorised', 'it does not give its picture with these credentials');
    const isJpeg = answer.body.length > 4 && answer.body.readUInt16BE(0) === 0xff_d8;
    if (answer.status !== 200 || !isJpeg)
      throw new OnvifError('nonsense', `no picture came (status ${answer.status})`);
    return answer.body;
  }

  /** Sets date and time to ours, UTC, kept by hand (Core §8.3.2). */
  async setClock(nowMs: number): Promise<void> {
    const options = {
      dateTimeType: 'Manual' as const,
      dateTime: new Date(nowMs),
      daylightSavings: false,
      timezone: 'UTC0',
    };
    await this.#cam.invoke((done) => this.#cam.setSystemDateAndTime(options, done));
    await this.readClock();
  }

  async ptz(profileToken: string, action: z.output<typeof PtzAction>): Promise<void> {
    const profile = { profileToken: escapeXml(profileToken) };
    switch (action.action) {
      case 'move':
        await this.#cam.invoke((done) =>
          this.#cam.continuousMove(
            { ...profile, x: action.pan, y: action.tilt, zoom: action.zoom, timeout: action.for_ms },
            done,
          ),
        );
        return;
      case 'stop':
        await this.#cam.invoke((done) => this.#cam.stop({ ...profile, panTilt: true, zoom: true }, done));
        return;
      case 'home':
        await this.#cam.invoke((done) => this.#cam.gotoHomePosition(profile, done));
        return;
      case 'preset': {
        const options = { ...profile, preset: escapeXml(action.preset) };
        await this.#cam.invoke((done) => this.#cam.gotoPreset(options, done));
      }
    }
  }

  async presets(profileToken: string): Promise<{ token: string; name: string }[]> {
    const profile = { profileToken: escapeXml(profileToken) };
    return readPresets(await this.#cam.invoke((done) => this.#cam.getPresets(profile, done)));
  }

  async setPreset(profileToken: string, name: string): Promise<string | undefined> {
    const options = { profileToken: escapeXml(profileToken), presetName: escapeXml(name) };
    return readPresetToken(await this.#cam.invoke((done) => this.#cam.setPreset(options, done)));
  }

  async removePreset(profileToken: string, token: string): Promise<void> {
    const options = { profileToken: escapeXml(profileToken), presetToken: escapeXml(token) };
    await this.#cam.invoke((done) => this.#cam.removePreset(options, done));
  }

  /** Relays by the device service (Core §8.7), which every camera with relays has; the package has no call for them. */
  async relays(): Promise<string[]> {
    const root = await this.#ask('', '<GetRelayOutputs xmlns="http://www.onvif.org/ver10/device/wsdl"/>');
    return readPorts(root, 'RelayOutputs');
  }

  /** Digital inputs by DeviceIO (§5.6). */
  async inputs(): Promise<string[]> {
    if (!this.#has('deviceIO')) return [];
    const root = await this.#ask(
      'deviceIO',
      '<GetDigitalInputs xmlns="http://www.onvif.org/ver10/deviceIO/wsdl"/>',
    );
    return readPorts(root, 'DigitalInputs');
  }

  async setRelay(token: string, on: boolean): Promise<void> {
    await this.#ask(
      '',
      `<SetRelayOutputState xmlns="http://www.onvif.org/ver10/device/wsdl"><RelayOutputToken>${escapeXml(token)}</RelayOutputToken>` +
        `<LogicalState>${on ? 'active' : 'inactive'}</LogicalState></SetRelayOutputState>`,
    );
  }

  /** A request to its media service that the package has no call for; the body is ours, and escaped (`encoder-settings.ts`). */
  askMedia(service: 'media' | 'media2', body: string): Promise<XmlNode> {
    return this.#ask(service, body);
  }

  /** A pull point that ends by itself after `lifeMs` without renewal (Core §9.2). */
  async subscribe(lifeMs: number): Promise<Subscription> {
    const root = await this.#ask(
      'events',
      `<CreatePullPointSubscription xmlns="http://www.onvif.org/ver10/events/wsdl"><InitialTerminationTime>${duration(lifeMs)}</InitialTerminationTime></CreatePullPointSubscription>`,
      { action: 'http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest' },
    );
    const reference = find(root, 'Body', 'CreatePullPointSubscriptionResponse', 'SubscriptionReference');
    const address = textAt(reference, 'Address');
    if (address === undefined) throw new OnvifError('nonsense', 'its subscription has no address');
    // Axis tells subscriptions apart by this and not by the address.
    const id = textAt(reference, 'ReferenceParameters', 'SubscriptionId');
    return {
      address,
      reference:
        id === undefined
          ? ''
          : `<SubscriptionId xmlns="http://www.axis.com/2009/event" a:IsReferenceParameter="true">${escapeXml(id)}</SubscriptionId>`,
    };
  }

  /** Waits at the camera for at most `waitMs`; `marginMs` more for a camera that is gone. */
  async pull(subscription: Subscription, waitMs: number, marginMs: number): Promise<Notification[]> {
    const root = await this.#ask(
      'events',
      `<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"><Timeout>${duration(waitMs)}</Timeout><MessageLimit>100</MessageLimit></PullMessages>`,
      {
        action: 'http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest',
        subscription,
        timeoutMs: waitMs + marginMs,
      },
    );
    return readNotifications(root);
  }

  async renew(subscription: Subscription, lifeMs: number): Promise<void> {
    await this.#ask(
      'events',
      `<Renew xmlns="http://docs.oasis-open.org/wsn/b-2"><TerminationTime>${duration(lifeMs)}</TerminationTime></Renew>`,
      { action: 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest', subscription },
    );
  }

  async unsubscribe(subscription: Subscription): Promise<void> {
    await this.#ask('events', '<Unsubscribe xmlns="http://docs.oasis-open.org/wsn/b-2"/>', {
      action: 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest',
      subscription,
    });
  }

  #has(service: string): boolean {
    return this.#services && this.#cam.has(service);
  }

  /** A request that the package has no call for, in its envelope. Events are addressed (WS-Addressing, Core §9.1). */
  #ask(
    service: string,
    body: string,
    options: { action?: string; subscription?: Subscription; timeoutMs?: number } = {},
  ): Promise<XmlNode> {
    const { action, subscription, timeoutMs = requestMsDefault } = options;
    const to = subscription?.address;
    const addressing =
      action === undefined
        ? ''
        : `<a:Action>${action}</a:Action><a:MessageID>urn:uuid:${crypto.randomUUID()}</a:MessageID>` +
          (to === undefined ? '' : `<a:To>${escapeXml(to)}</a:To>${subscription?.reference ?? ''}`);
    return this.#cam.invoke(
      (done) =>
        this.#cam._request(
          {
            service,
            body: this.#cam.envelope(addressing, body),
            replyTimeout: timeoutMs,
            ...(to === undefined ? {} : { url: this.#cam._parseUrl(to) }),
          },
          done,
        ),
      timeoutMs,
    );
  }
}

const duration = (ms: number): string => `PT${Math.max(1, Math.round(ms / 1_000))}S`;
