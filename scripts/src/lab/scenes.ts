/** What can be made to happen on demand, by key or by `--once`. */
import type { Random } from '@siphera/runtime';
import { controllerIds, devices, passages } from './building.ts';
import { byId, type Controllers } from './controllers.ts';
import type { LabCameras } from './cameras.ts';
import type { LabPanel } from './lab-panel.ts';

export type Stage = {
  controllers: Controllers;
  panel: LabPanel | undefined;
  cameras: LabCameras | undefined;
  random: Random;
  say: (line: string) => void;
  /** What clears by itself later, or when the lab stops: it must not leave a building in alarm behind. */
  clearing: Map<NodeJS.Timeout, () => Promise<void>>;
};
type Scene = { key: string; play: (stage: Stage) => Promise<void> };

/** Longer than the door's own patience: it counts as held then. */
const heldSeconds = 45;
/** Alarms of the lab clear by themselves, so that a building left alone returns to quiet. */
const clearMs = 20_000;

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[Math.floor(random.fraction() * list.length)];
  if (item === undefined) throw new Error('Nothing to pick from');
  return item;
};
const ofKind = (kind: string) => devices.filter((device) => device.kind === kind);

/** What happens at a device moves in front of the cameras that see it. */
function seen({ cameras, say }: Stage, id: string): void {
  const names = cameras?.sees(id) ?? [];
  if (names.length > 0) say(`seen by ${names.join(', ')}`);
}

/** Clears an alarm after a while. */
function later({ clearing, say }: Stage, what: string, clear: () => Promise<void>): void {
  const timer = setTimeout(() => {
    clearing.delete(timer);
    clear().catch((error: unknown) => say(`${what}: ${String(error)}`));
  }, clearMs);
  clearing.set(timer, clear);
}

/** Clears now whatever would clear later. */
export async function clearAll({ clearing }: Stage): Promise<void> {
  for (const [timer, clear] of clearing) {
    clearTimeout(timer);
    await clear();
  }
  clearing.clear();
}

export const scenes = {
  'door.forced': {
    key: 'f',
    play: async (stage) => {
      const perimeter = ofKind('door').filter((door) => passages[door.id]?.reader !== undefined);
      const door = pick(stage.random, perimeter);
      seen(stage, door.id);
      await stage.controllers.report(door.id, 'door.forced', { note: 'Opened without a badge' });
      later(stage, door.id, () => stage.controllers.report(door.id, 'door.closed'));
    },
  },
  'door.held': {
    key: 'h',
    play: async (stage) => {
      const door = pick(stage.random, ofKind('door'));
      seen(stage, door.id);
      await stage.controllers.report(door.id, 'door.opened');
      await stage.controllers.report(door.id, 'door.held', { note: `Open for ${heldSeconds} seconds` });
      later(stage, door.id, () => stage.controllers.report(door.id, 'door.closed'));
    },
  },
  'panic.pressed': {
    key: 'p',
    play: async (stage) => {
      const button = pick(stage.random, ofKind('panic'));
      seen(stage, button.id);
      await stage.controllers.report(button.id, 'panic.pressed');
    },
  },
  'smoke.alarm': {
    key: 's',
    play: async (stage) => {
      const detector = pick(stage.random, ofKind('smoke'));
      await stage.controllers.report(detector.id, 'smoke.alarm', { value: 4.2, unit: '%/m' });
      later(stage, detector.id, () => stage.controllers.report(detector.id, 'smoke.restored'));
    },
  },
  'glass_break.alarm': {
    key: 'g',
    play: async (stage) => {
      const detector = pick(stage.random, ofKind('glass_break'));
      seen(stage, detector.id);
      await stage.controllers.report(detector.id, 'glass_break.alarm');
    },
  },
  'tamper.alarm': {
    key: 't',
    play: async (stage) => {
      const device = pick(stage.random, [...ofKind('reader'), ...ofKind('motion')]);
      await stage.controllers.report(device.id, 'tamper.alarm', { note: 'Cover open' });
      later(stage, device.id, () => stage.controllers.report(device.id, 'tamper.restored'));
    },
  },
  'panel.alarm': {
    key: 'a',
    play: async (stage) => {
      const { panel } = stage;
      if (!panel) {
        stage.say('There is no panel: start the lab with --panel HOST:PORT');
        return;
      }
      // Its zone is the dock's door.
      seen(stage, 'lab-door-3');
      await panel.burglary();
      later(stage, 'zone 005', () => panel.restore());
    },
  },
  'controller.offline': {
    key: 'o',
    play: async ({ controllers, random, say }) => {
      const [back] = controllers.offline;
      if (back !== undefined) {
        await controllers.setNetwork(back, true);
        say(`${byId(back).name} has its network back`);
        return;
      }
      const id = pick(random, controllerIds);
      await controllers.setNetwork(id, false);
      say(`${byId(id).name} lost its network; its events wait on its disk`);
    },
  },
} as const satisfies Record<string, Scene>;

export type SceneName = keyof typeof scenes;
export const sceneNames = Object.keys(scenes) as SceneName[];

/** The scene of a key, if it has one. */
export const sceneOfKey = (key: string): SceneName | undefined =>
  sceneNames.find((name) => scenes[name].key === key);
