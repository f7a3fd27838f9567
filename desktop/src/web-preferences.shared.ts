/** Preferences of every window: a page in the desk has no more rights than in a browser. */
export const pagePreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInSubFrames: false,
  nodeIntegrationInWorker: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
  // A board in the background must ring as soon as one in front.
  backgroundThrottling: false,
  autoplayPolicy: 'no-user-gesture-required',
} as const;
