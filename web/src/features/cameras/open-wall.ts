/** Opens the wall in a window of its own; a second call brings the same window to the front. */
export function openWall(): void {
  const opened = window.open('/wall', 'siphera-wall', 'popup,width=1600,height=900');
  opened?.focus();
}
