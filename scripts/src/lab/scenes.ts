/** What can be made to happen on demand, by key or by `--once`. */
import type { Random } from '@siphera/runtime';
import { controllerIds, devices, passages } from './building.ts';
import { byId, type Controllers } from './controllers.ts';
import type { LabPanel } from './lab-panel.ts';

export type Stage = {
  controllers: Controllers;
  panel: LabPanel | undefined;
  random: Random;
  say: (line: string) => void;
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

/** Clears an alarm later; a lab that stops first leaves it standing, as a real device would. */
function later(stage: Stage, id: string, type: string): void {
  setTimeout(() => {
    stage.controllers.report(id, type).catch((error: unknown) => stage.say(`${id}: ${String(error)}`));
  }, clearMs).unref();
}

export const scenes = {
  'door.forced': {
    key: 'f',
    play: async (stage) => {
      const perimeter = ofKind('door').filter((door) => passages[door.id]?.reader !== undefined);
      const door = pick(stage.random, perimeter);
      await stage.controllers.report(door.id, 'door.forced', { note: 'Opened without a badge' });
      later(stage, door.id, 'door.closed');
    },
  },
  'door.held': {
    key: 'h',
    play: async (stage) => {
      const door = pick(stage.random, ofKind('door'));
      await stage.controllers.report(door.id, 'door.opened');
      await stage.controllers.report(door.id, 'door.held', { note: `Open for ${heldSeconds} seconds` });
      later(stage, door.id, 'door.closed');
    },
  },
  'panic.pressed': {
    key: 'p',
    play: (stage) => stage.controllers.report(pick(stage.random, ofKind('panic')).id, 'panic.pressed'),
  },
  'smoke.alarm': {
    key: 's',
    play: async (stage) => {
      const detector = pick(stage.random, ofKind('smoke'));
      await stage.controllers.report(detector.id, 'smoke.alarm', { value: 4.2, unit: '%/m' });
      later(stage, detector.id, 'smoke.restored');
    },
  },
  'glass_break.alarm': {
    key: 'g',
    play: (stage) =>
      stage.controllers.report(pick(stage.random, ofKind('glass_break')).id, 'glass_break.alarm'),
  },
  'tamper.alarm': {
    key: 't',
    play: async (stage) => {
      const device = pick(stage.random, [...ofKind('reader'), ...ofKind('motion')]);
      await stage.controllers.report(device.id, 'tamper.alarm', { note: 'Cover open' });
      later(stage, device.id, 'tamper.restored');
    },
  },
  'panel.alarm': {
    key: 'a',
    play: async (stage) => {
      if (stage.panel) await stage.panel.burglary();
      else stage.say('There is no panel: start the lab with --panel HOST:PORT');
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
