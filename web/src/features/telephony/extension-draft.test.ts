import { describe, expect, it } from 'vitest';
import { toBody, toDraft } from '#features/telephony/extension-draft.ts';

const id = '01939f3c-0000-7000-8000-000000000001';

describe('a number in its form', () => {
  it('comes out as it went in', () => {
    const draft = { ...toDraft(undefined), number: '2001', name: 'Front desk', area_id: id };
    const body = toBody(draft);
    expect(body).toMatchObject({
      number: '2001',
      kind: 'phone',
      name: 'Front desk',
      area_id: id,
      classes: null,
    });
  });

  it('drops what another kind had, so that a group keeps no door and no place', () => {
    const draft = {
      ...toDraft(undefined),
      number: '600',
      name: 'Desk',
      area_id: id,
      door_id: id,
      camera_id: id,
    };
    expect(toBody({ ...draft, kind: 'group', members: ['2001'] })).toMatchObject({
      area_id: null,
      door_id: null,
      camera_id: null,
      members: ['2001'],
    });
  });

  it('gives members to groups alone and a user to users alone', () => {
    const draft = { ...toDraft(undefined), number: '2001', name: 'Gil', user_id: id, members: ['2002'] };
    expect(toBody({ ...draft, kind: 'phone' })).toMatchObject({ user_id: null, members: [] });
    expect(toBody({ ...draft, kind: 'user' })).toMatchObject({ user_id: id, members: [] });
  });
});
