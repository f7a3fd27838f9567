/** Text of `siphera --help`. start, stop, restart and logs are the launcher's (scripts/siphera). */
export const commandHelp = `siphera: this Siphera box

  siphera status                    what runs, since when, how healthy
  siphera doctor                    looks for what is wrong, says why it matters and what to do
  siphera self-test                 one test alarm each by MQTT, DC-09 and REST; the time each took to a console
  siphera backup [FILE]             copies data, secrets and certificates into one verified archive
  siphera restore FILE              verifies an archive, puts it in place, keeps the old data aside
  siphera setup-code [--if-needed]  a new one-time code for the first admin
  siphera reset-admin [EMAIL]       a new password for an admin who lost it
  siphera verify-audit              walks the hash chain of the audit log
  siphera verify-evidence FILE      whether an export of footage is as a box made it
  siphera start | stop | restart    the whole box
  siphera logs [SERVICE]            the last lines, and those that come
`;
