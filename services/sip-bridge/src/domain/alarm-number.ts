/** Who calls when the box itself does: alarm calls and drills. */
import { fields, type SwitchTables } from './switch-tables.ts';

/** No number of the house can be it, for those are digits alone; nobody is registered there. */
export const alarmNumber = '*000';
const alarmName = 'Alarm';
/** Calls out of the house a day: a rule that goes wild costs no more. */
export const alarmDailyCap = 500;

/** Kamailio lets it dial the house and the country: whom rules call, an admin has written down. Abroad costs most, so that is to be asked for. */
export const alarmTables = (isAbroad: boolean): Partial<SwitchTables> => ({
  tables: {
    number: {
      [alarmNumber]: fields({
        kind: 'user',
        name: alarmName,
        classes: `internal,local,national${isAbroad ? ',international' : ''}`,
        cap: alarmDailyCap,
      }),
    },
  },
});
