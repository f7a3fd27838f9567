/** The agent's version, as it tells the box; a test compares it with package.json. */
export const agentVersion = '0.1.0';
