/** Starts the desk with the guard's session, where the guard's system knows how: login items, or a desktop entry on Linux. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectronApi } from './electron-api.main.ts';

export function setAutostart(
  app: ElectronApi['app'],
  enabled: boolean,
  system: { platform: NodeJS.Platform; configDirectory: string; executable: string },
): void {
  if (system.platform !== 'linux') {
    app.setLoginItemSettings({ openAtLogin: enabled });
    return;
  }
  const directory = join(system.configDirectory, 'autostart');
  const file = join(directory, 'siphera-desk.desktop');
  if (!enabled) {
    rmSync(file, { force: true });
    return;
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, desktopEntry(system.executable));
}

/** Desktop Entry Specification, section "The Exec key": quoted, with `\`, `"`, `$` and backticks escaped, `%` doubled. */
function desktopEntry(executable: string): string {
  const quoted = executable
    .replaceAll(/[\\"$`]/g, String.raw`\$&`)
    .replaceAll('%', '%%')
    .replaceAll('\\', '\\\\');
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Siphera Desk',
    `Exec="${quoted}"`,
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n');
}
