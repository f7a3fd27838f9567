/** A plan for tests of parts that only read it: numbers and trunks that a test says. */
import { ExtensionInput, TrunkInput } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import type { z } from 'zod';
import type { PlanBook, PlannedExtension, PlannedTrunk } from '../plan.part.ts';
import { testOrg } from './bridge-rig.ts';

type Extension = Pick<ExtensionInput, 'number' | 'kind'> & Partial<z.input<typeof ExtensionInput>>;

export type FakeBook = PlanBook & {
  /** Adds a number, or puts another one in its place. */
  put(extension: Extension, orgId?: string): PlannedExtension;
  addTrunk(name: string, orgId?: string): PlannedTrunk;
};

export function fakeBook(): FakeBook {
  const extensions = new Map<string, PlannedExtension>();
  const trunks = new Map<string, PlannedTrunk>();
  const find = (fits: (one: PlannedExtension) => boolean): PlannedExtension | undefined =>
    [...extensions.values()].find(fits);
  return {
    put(extension, orgId = testOrg) {
      const made: PlannedExtension = {
        ...ExtensionInput.parse({ name: `Number ${extension.number}`, ...extension }),
        id: systemRandom.uuid(),
        org_id: orgId,
        revision: 1,
        auth_username: extension.number,
        has_secret: true,
      };
      extensions.set(made.number, made);
      return made;
    },
    addTrunk(name, orgId = testOrg) {
      const trunk: PlannedTrunk = {
        ...TrunkInput.parse({ name, host: 'trunk.test', kind: 'address', uses: ['calls'] }),
        id: systemRandom.uuid(),
        org_id: orgId,
        revision: 1,
        has_password: false,
      };
      trunks.set(trunk.id, trunk);
      return trunk;
    },
    extension: (number) => extensions.get(number),
    extensionById: (id) => find((one) => one.id === id),
    extensionOfUser: (userId) => find((one) => one.user_id === userId),
    extensions: () => [...extensions.values()],
    trunk: (id) => trunks.get(id),
    trunks: () => [...trunks.values()],
    plan: () => {
      throw new Error('this book has no plan');
    },
    registered: () => new Set(),
    onChange: () => undefined,
    locateBy: () => undefined,
    membersOf: ({ members }) => members,
  };
}
