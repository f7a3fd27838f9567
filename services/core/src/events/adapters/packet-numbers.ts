/**
 * mqtt-packet makes a Buffer for each of the 65,536 numbers a packet can bear, before it writes its first: 8 MiB that
 * stay. Core writes few packets (one acknowledgement a commit and agent), so it makes each number when it needs it.
 */
import { writeToStream } from 'mqtt-packet';

/** To be called before the first connection of the process. */
export function makePacketNumbersOnDemand(): void {
  writeToStream.cacheNumbers = false;
}
