/** Title and icon of the window, and the badge of the installed app: how many alarms wait. */

export function showBadge(count: number, worstTitle: string | undefined): void {
  document.title = count > 0 ? `(${String(count)}) ${worstTitle ?? ''} · Siphera` : 'Siphera';
  const icon = document.querySelector<HTMLLinkElement>('#favicon');
  const href = count > 0 ? '/favicon-alert.svg' : '/favicon.svg';
  if (icon && icon.getAttribute('href') !== href) icon.setAttribute('href', href);
  if ('setAppBadge' in navigator) void navigator.setAppBadge(count).catch(() => undefined);
}
