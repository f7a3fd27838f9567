import { describe, expect, it } from 'vitest';
import { commandProblem } from './device-commands.ts';

const door = { kind: 'door', name: 'Dock door' } as const;
const camera = { kind: 'camera', name: 'Dock' } as const;
const controller = { kind: 'controller', name: 'Unit 1' } as const;

describe('which device takes which command', () => {
  it('unlocks doors alone', () => {
    expect(commandProblem(door, { name: 'unlock', args: { seconds: 5 } })).toBeUndefined();
    expect(commandProblem(camera, { name: 'unlock', args: {} })).toBe('"Dock" is not a door.');
    expect(commandProblem(controller, { name: 'lock', args: {} })).toBe('"Unit 1" is not a door.');
  });

  it('records, takes pictures and turns on cameras alone', () => {
    expect(commandProblem(camera, { name: 'record', args: { seconds: 30 } })).toBeUndefined();
    expect(commandProblem(camera, { name: 'snapshot', args: {} })).toBeUndefined();
    expect(commandProblem(camera, { name: 'goto_preset', args: { preset: '3' } })).toBeUndefined();
    expect(commandProblem(door, { name: 'snapshot', args: {} })).toBe('"Dock door" is not a camera.');
    expect(commandProblem(camera, { name: 'reboot', args: {} })).toContain('it takes record, snapshot');
  });

  it('says what is wrong with the arguments', () => {
    expect(commandProblem(camera, { name: 'record', args: { seconds: 0 } })).toContain('seconds');
    expect(commandProblem(camera, { name: 'goto_preset', args: {} })).toContain('preset');
  });

  it('leaves what any agent does to the agent', () => {
    expect(commandProblem(controller, { name: 'reboot', args: {} })).toBeUndefined();
    expect(commandProblem(door, { name: 'self_test', args: {} })).toBeUndefined();
  });
});
