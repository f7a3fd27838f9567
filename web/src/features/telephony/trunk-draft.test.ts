import { describe, expect, it } from 'vitest';
import { toBody, toDraft } from '#features/telephony/trunk-draft.ts';

describe('a trunk in its form', () => {
  it('reads numbers and addresses line by line, whatever stands between the two of a pair', () => {
    const draft = {
      ...toDraft(undefined),
      numbers: '+15550100 2001\n\n +15550101 = 2002 ',
      addresses: '192.0.2.10,\n198.51.100.0/28',
    };
    const body = toBody(draft);
    expect(body.numbers).toEqual([
      { number: '+15550100', extension: '2001' },
      { number: '+15550101', extension: '2002' },
    ]);
    expect(body.addresses).toEqual(['192.0.2.10', '198.51.100.0/28']);
  });

  it('sends no password that was not typed, so that the kept one stays', () => {
    expect(toBody(toDraft(undefined))).not.toHaveProperty('password');
    expect(toBody({ ...toDraft(undefined), password: 'x' })).toMatchObject({ password: 'x' });
  });
});
