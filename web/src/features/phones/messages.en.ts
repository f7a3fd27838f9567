/** Texts of phones and pushes. */
export const messages = {
  phones: {
    title: 'Phones and alerts',
    text: 'What rings whom when no console is open. Trust a phone only after its test.',
    here: {
      title: 'This device',
      off: 'Not rung up. Alarms reach you here only while Siphera is open.',
      on: 'Is rung up for what is chosen below.',
      denied:
        'The browser does not let Siphera notify. Allow notifications for this address in its settings, then load this page again.',
      unsupported: 'This browser cannot be rung up. Use Chrome, Edge or Firefox; on an iPhone Safari.',
      needs_install:
        'On an iPhone: Share → Add to Home Screen, open Siphera from there, then come back to this page.',
      no_worker:
        'The box’s certificate is not trusted here yet, so the browser refuses. See “Trust this box”.',
      enable: 'Ring me up on this device',
      disable: 'Ring me up here no more',
      name: 'Name of this device',
      failed:
        'The push service of the browser could not be reached. Without internet there is no Web Push: keep Siphera open, it rings by itself.',
      enabled: 'This device is rung up from now on. Test it now.',
    },
    noWayOut:
      'The box reaches no push service: phones away from this network are not rung up now. Open consoles and apps ring as before.',
    mine: { title: 'My devices', none: 'None of your devices is rung up.' },
    all: {
      title: 'Everybody here',
      text: 'Of people at your sites: what would ring if an alarm came now.',
      none: 'Nobody has a device that is rung up.',
    },
    column: {
      who: 'Who',
      device: 'Device',
      tested: 'By its last test',
      alarms: 'Alarms',
      last: 'Last reached',
    },
    tested: {
      untested: 'Not tested',
      waiting: 'Test is under way…',
      rings: 'Rings',
      banner: 'Shows, does not ring',
      only_with_screen: 'Only with its screen on',
      unreachable: 'Not reached',
    },
    arrived: 'after {s} s',
    alarmsFrom: '{severity} and above',
    noAlarms: 'None',
    test: 'Test',
    testSent: 'Sent. Look at the phone, tap the notification and say what you noticed.',
    edit: 'Choose what rings',
    remove: 'Remove',
    removeTitle: 'Ring up {name} no more?',
    removeText: 'Alarms, messages and calls no longer reach it while Siphera is closed there.',
    prefs: {
      title: 'What rings {name}',
      alarms: 'Alarms',
      none: 'No alarms',
      messages: 'Messages (without their content)',
      calls: 'Calls',
      quiet: 'Quiet hours',
      from: 'From',
      until: 'Until',
      except: 'In quiet hours still',
      zone: 'In the time zone of this device ({zone}).',
      saved: 'Saved.',
    },
    answer: {
      title: 'What did you notice?',
      text: 'This is the test of this phone. Your answer is what the desk sees when it wonders whether you can be reached.',
      rings: 'It rang or vibrated with the screen off',
      banner: 'I saw it, but it made no sound',
      only_with_screen: 'It came only when I turned the screen on',
      thanks: 'Thank you. The desk sees it now.',
      silentHelp:
        'Silent phones miss alarms. Look at its sound, at “Do not disturb”, and at the notification settings of Siphera, then test again.',
      sleepHelp:
        'The phone puts the browser to sleep. Switch battery saving off for the browser, then test again.',
      broken: 'This address belongs to no test. Start one on the page “Phones and alerts”.',
    },
  },
};
