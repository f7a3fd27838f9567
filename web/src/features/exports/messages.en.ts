/** Texts of exports. */
export const messages = {
  exports: {
    title: 'Exports',
    text: 'Footage as signed zip files',
    none: 'No export yet',
    noneText: 'Mark a range in the playback and export it.',
    toPlayback: 'To the playback',
    make: 'Export footage',
    cameras: 'Cameras',
    name: 'Name',
    reason: 'Reason',
    how: 'The footage is copied as it was recorded, with a list of hashes and the signature of this box.',
    column: { name: 'Export', range: 'From', state: 'State', size: 'Size', by: 'By', expires: 'Kept until' },
    state: { running: 'Running', ready: 'Ready', failed: 'Failed' },
    download: 'Download',
    saved: 'The export was saved',
    incident: 'Its incident',
    remove: 'Remove {name}',
    removeTitle: 'Remove export {name}?',
    removeText: 'The zip is removed from the box. Copies that were downloaded stay valid.',
    verify: 'Check an export',
    verifyText: 'Anyone can check that nothing was changed, without this box.',
    verifyMore:
      'The check compares every file with its hash and the signature with the key of this box. One changed byte fails.',
  },
};
