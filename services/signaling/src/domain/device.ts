/** Devices of talk: one browser profile or phone of one person, with keys of its own. */

/** A device in a queue's terms. */
export type DeviceKey = { userId: string; deviceId: string };
