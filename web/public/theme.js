// Runs before the first paint, so that a light console never flashes dark. Dark is the control-room default.
try {
  var theme = localStorage.getItem('siphera_theme');
  if (theme === 'system') theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  if (theme === 'light') document.documentElement.dataset.theme = 'light';
} catch {
  // Storage may be blocked; the default stands.
}
