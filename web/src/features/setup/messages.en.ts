/** Texts of the set-up wizard. */
export const messages = {
  setup: {
    progress: 'Progress of the set-up',
    next: 'Continue',
    create: 'Set up the box',
    step: { code: 'Code', place: 'Place', admin: 'Admin', sound: 'Sound', finish: 'Ready' },
    code: {
      title: 'Welcome to Siphera',
      text: 'This box has no owner yet. The installer printed a one-time code that makes you its first admin.',
      label: 'Setup code',
      hint: 'Lost it? Run “siphera setup-code” on the box.',
    },
    place: {
      title: 'Where is the box?',
      text: 'Names can be changed later.',
      org: 'Organisation',
      site: 'Site',
      siteHint: 'The building this box watches, for example “Harbour Tower”.',
      zone: 'Time zone of the site',
    },
    admin: {
      title: 'The first admin',
      text: 'There is no default password. Choose yours.',
      name: 'Name',
      email: 'E-mail address',
      password: 'Password',
      passwordHint: 'At least {n} characters. A sentence is good.',
      repeat: 'Password again',
      mismatch: 'The two passwords differ',
    },
    sound: {
      title: 'Will you hear an alarm?',
      text: 'Play the alarm tone once on this device.',
      play: 'Play the alarm tone',
    },
    finish: {
      title: 'The box is ready',
      text: 'What most people do next:',
      board: 'Open the incident board',
      trust: { title: 'Trust the box on your devices', text: 'Phones and PCs, by QR code' },
      plans: { title: 'Add floors and plans', text: 'Upload a picture, place the devices' },
      devices: { title: 'Add devices', text: 'One by one or by CSV' },
      users: { title: 'Invite your guards', text: 'Accounts, roles and where they count' },
    },
  },
};
