import { describe, expect, it } from 'vitest';
import { CameraStates } from './camera-states.ts';

const id = 'a camera';
const away = { connection: 'offline', problem: 'The camera does not answer.' } as const;
const refuses = { connection: 'unauthorised', problem: 'It does not let us in.' } as const;
const fine = { connection: 'online', problem: null } as const;

function shown(picture: Parameters<CameraStates['patch']>[1], link: Parameters<CameraStates['patch']>[1]) {
  const states = new CameraStates();
  states.patch(id, link, 'link');
  states.patch(id, picture, 'picture');
  const { connection, problem } = states.get(id);
  return { connection, problem };
}

describe('the state of a camera', () => {
  it('does not lose what is wrong with its events when its picture comes', () => {
    expect(shown(fine, refuses)).toEqual({
      connection: 'online',
      problem: 'The picture comes, but it reports nothing. It does not let us in.',
    });
  });

  it('does not lose what is wrong with its picture when it answers otherwise', () => {
    expect(shown(away, fine)).toEqual(away);
  });

  it('says both when they differ, and once when they are the same', () => {
    expect(shown(away, refuses)).toEqual({
      connection: 'offline',
      problem: 'The camera does not answer. It does not let us in.',
    });
    expect(shown(away, { ...away, problem: 'It does not answer.' })).toEqual(away);
  });

  it('is what the link says while nobody takes its picture', () => {
    expect(shown({ connection: 'connecting', problem: null }, fine)).toEqual(fine);
    expect(shown({}, refuses)).toEqual(refuses);
  });

  it('is connecting only while nobody has said anything', () => {
    expect(new CameraStates().get(id).connection).toBe('connecting');
    expect(shown({}, {})).toEqual({ connection: 'connecting', problem: null });
  });

  it('is disabled whatever the picture last was', () => {
    expect(shown(away, { connection: 'disabled', problem: null })).toEqual({
      connection: 'disabled',
      problem: null,
    });
  });

  it('keeps what one part said when another says something else', () => {
    const states = new CameraStates();
    states.patch(id, { motion: true });
    states.patch(id, { ...fine, bitrate_bps: 9 }, 'picture');
    expect(states.get(id)).toMatchObject({ motion: true, bitrate_bps: 9, connection: 'online' });
  });
});
