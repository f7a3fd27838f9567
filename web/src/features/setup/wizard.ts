/** Order of the set-up wizard, and where a refused field is to be corrected. Pure. */
export const wizardSteps = ['code', 'place', 'admin', 'sound', 'finish'] as const;
export type WizardStep = (typeof wizardSteps)[number];

const fields: Record<string, WizardStep> = {
  code: 'code',
  org_name: 'place',
  site_name: 'place',
  time_zone: 'place',
  name: 'admin',
  email: 'admin',
  password: 'admin',
};

/** The step that holds the field an error names; undefined when the error belongs to no step. */
export function stepOfField(errorCode: string, path: string | undefined): WizardStep | undefined {
  if (errorCode === 'setup_code_wrong') return 'code';
  return path === undefined ? undefined : fields[path.replace(/^body\./, '')];
}

/** Time zones the browser knows, the box's own guess among them. */
export function timeZones(guess: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return known.includes(guess) ? known : [guess, ...known];
}
