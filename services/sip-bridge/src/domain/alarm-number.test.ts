import { expect, it } from 'vitest';
import { SipBridgeConfig } from '../config.ts';
import { alarmNumber, alarmTables } from './alarm-number.ts';

const classes = (isAbroad: boolean): string | undefined =>
  /classes=([^;]*)/.exec(alarmTables(isAbroad).tables?.number?.[alarmNumber] ?? '')?.[1];

it('alarm calls stay inside the country unless the box is told otherwise, and never go to premium numbers', () => {
  const { ALARM_CALLS_ABROAD: setting } = SipBridgeConfig.shape;
  expect([undefined, 'no', 'yes'].map((word) => classes(setting.parse(word)))).toEqual([
    'internal,local,national',
    'internal,local,national',
    'internal,local,national,international',
  ]);
});
