/** What every subcommand gets, and gives: its exit code. */
import type { Clock } from '@siphera/runtime';
import type { BoxPlace } from './box.ts';

export type CommandInput = {
  box: BoxPlace;
  args: readonly string[];
  print: (line: string) => void;
  clock: Clock;
};
export type Command = (input: CommandInput) => Promise<number>;

/** Arguments that are neither flags nor the value of one of `valued`. */
export function words(args: readonly string[], valued: readonly string[] = []): string[] {
  return args.filter((arg, at) => !arg.startsWith('--') && !valued.includes(args[at - 1] ?? ''));
}
