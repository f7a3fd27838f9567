/** Comparing keys by QR code or seven emoji (Matrix §11.12.2), from device to device. The library keeps the state of each. */
import {
  DeviceId,
  OwnUserIdentity,
  Qr,
  QrCodeScan,
  QrState,
  Sas,
  UserId,
  VerificationMethod,
  VerificationRequestPhase,
  type ToDeviceRequest,
  type VerificationRequest,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { TalkError, type Verification } from '../api.ts';
import type { Ground } from './ground.ts';
import type { Request } from './machine.ts';

const methods = (): VerificationMethod[] => [
  VerificationMethod.SasV1,
  VerificationMethod.QrCodeScanV1,
  VerificationMethod.QrCodeShowV1,
  VerificationMethod.ReciprocateV1,
];
/** Kept at once; the library forgets each after ten minutes. */
const flowsMax = 50;

type Flow = {
  request: VerificationRequest;
  user: string;
  /** The library forgets it once the flow is done. */
  device: string | null;
  qr: Qr | undefined;
  done: boolean;
};
type Act = 'accept' | 'start_emoji' | 'confirm' | 'cancel' | { scanned: Uint8Array };

export class Verifications {
  readonly #ground: Ground;
  readonly #finished: (user: string, deviceId: string | null) => void;
  readonly #flows = new Map<string, Flow>();

  /** @param finished hears of each that came to a good end */
  constructor(ground: Ground, finished: (user: string, deviceId: string | null) => void) {
    this.#ground = ground;
    this.#finished = finished;
  }

  /** Asks a device of somebody, or all of my own. Answers the name of the flow. @throws TalkError `no_device` */
  async start(userId: string, deviceId?: string): Promise<string> {
    const { machine } = this.#ground;
    const user = this.#ground.userName(userId);
    await machine.track([user]);
    await machine.drain();
    const device = deviceId ?? (user === machine.me ? undefined : await this.#someDevice(user));
    const [request, outgoing] = await machine.call(async (olm): Promise<[VerificationRequest, unknown]> => {
      if (device === undefined) {
        const own = await olm.getIdentity(new UserId(user));
        if (own instanceof OwnUserIdentity) return own.requestVerification(methods());
      }
      const found =
        device === undefined ? undefined : await olm.getDevice(new UserId(user), new DeviceId(device));
      if (!found) throw new TalkError('no_device', 'There is no such device');
      return found.requestVerification(methods());
    });
    this.#add(request, user);
    await machine.send(outgoing as ToDeviceRequest);
    return request.flowId;
  }

  async #someDevice(user: string): Promise<string | undefined> {
    const devices = await this.#ground.machine.devicesOf(user);
    return devices.find((one) => one.signedByOwner)?.deviceId;
  }

  #add(request: VerificationRequest, user: string): Flow {
    const flow: Flow = { request, user, device: null, qr: undefined, done: false };
    this.#flows.set(request.flowId, flow);
    for (const old of [...this.#flows.keys()].slice(0, -flowsMax)) this.#flows.delete(old);
    return flow;
  }

  /** Something came for these flows: new ones are shown, emoji that the other side began are taken up. */
  async heard(flows: readonly { user: string; flowId: string }[]): Promise<void> {
    for (const { user, flowId } of flows) {
      const request = this.#ground.machine.olm.getVerificationRequest(new UserId(user), flowId);
      const flow = this.#flows.get(flowId) ?? (request && this.#add(request, user));
      if (!flow) continue;
      const sas = flow.request.getVerification();
      noteDevice(flow);
      if (sas instanceof Sas && !sas.weStarted() && !sas.hasBeenAccepted()) await this.#send(sas.accept());
      await this.#settle(flow);
      this.#ground.emit({ what: 'verification', flowId });
    }
  }

  async #settle(flow: Flow): Promise<void> {
    await this.#ground.machine.drain();
    const device = noteDevice(flow);
    if (flow.done || !isDone(flow)) return;
    flow.done = true;
    this.#finished(flow.user, device);
  }

  async view(flowId: string): Promise<Verification | null> {
    const flow = this.#flows.get(flowId);
    if (!flow) return null;
    const { request } = flow;
    if (request.phase() === VerificationRequestPhase.Ready && !flow.qr)
      flow.qr = await this.#ground.machine.call(() => request.generateQrCode());
    const began = request.getVerification();
    const sas = began instanceof Sas ? began : undefined;
    const emoji = sas?.emoji();
    return {
      flowId,
      userId: flow.user.slice(1, 37),
      deviceId: noteDevice(flow),
      incoming: !request.weStarted(),
      phase: phaseOf(flow, sas),
      qr: flow.qr && !sas ? new Uint8Array(flow.qr.toBytes()) : null,
      emoji: emoji?.map(({ symbol, description }) => ({ symbol, word: description })) ?? null,
      reason: request.cancelInfo?.reason() ?? sas?.cancelInfo()?.reason() ?? null,
    };
  }

  async act(flowId: string, act: Act): Promise<void> {
    const flow = this.#flows.get(flowId);
    if (!flow) throw new TalkError('refused', 'That verification is over');
    for (const outgoing of await this.#outcome(flow, act)) await this.#send(outgoing);
    await this.#settle(flow);
    this.#ground.emit({ what: 'verification', flowId });
  }

  async #outcome(flow: Flow, act: Act): Promise<unknown[]> {
    const { request } = flow;
    const { machine } = this.#ground;
    const began = request.getVerification();
    if (typeof act === 'object') {
      const scan = QrCodeScan.fromBytes(new Uint8ClampedArray(act.scanned));
      flow.qr = await machine.call(() => request.scanQrCode(scan));
      return [flow.qr.reciprocate()];
    }
    switch (act) {
      case 'accept':
        return [request.acceptWithMethods(methods())];
      case 'start_emoji':
        return [(await machine.call(() => request.startSas()))?.[1]];
      case 'confirm':
        if (began instanceof Sas) return machine.call(() => began.confirm());
        return [(began instanceof Qr ? began : flow.qr)?.confirmScanning()];
      case 'cancel':
        return [request.cancel()];
    }
  }

  async #send(outgoing: unknown): Promise<void> {
    if (outgoing === undefined || outgoing === null) return;
    await this.#ground.machine.send(outgoing as Request);
  }
}

function noteDevice(flow: Flow): string | null {
  flow.device = flow.request.otherDeviceId?.toString() ?? flow.qr?.otherDeviceId.toString() ?? flow.device;
  return flow.device;
}

function isDone(flow: Flow): boolean {
  const began = flow.request.getVerification();
  return flow.request.isDone() || began?.isDone() === true || flow.qr?.isDone() === true;
}

function phaseOf(flow: Flow, sas: Sas | undefined): Verification['phase'] {
  if (isDone(flow)) return 'done';
  if (flow.request.isCancelled() || sas?.isCancelled() === true) return 'cancelled';
  if (sas) return sas.haveWeConfirmed() ? 'confirm' : sas.canBePresented() ? 'compare_emoji' : 'ready';
  switch (flow.qr?.state()) {
    case QrState.Scanned:
      return 'confirm';
    case QrState.Created:
      return 'show_qr';
    default:
      return flow.request.isReady() ? 'ready' : 'requested';
  }
}
