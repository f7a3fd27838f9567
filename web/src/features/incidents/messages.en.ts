export const messages = { incidents: { title: 'Incidents' } };
