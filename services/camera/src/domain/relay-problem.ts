/** What went wrong with a camera's stream, in words for people: what it is and what to do. Credentials never pass through. */

export type StreamProblem = {
  kind: 'unauthorised' | 'unreachable' | 'stream' | 'other';
  text: string;
};

const rules: readonly { pattern: RegExp; kind: StreamProblem['kind']; text: string }[] = [
  {
    pattern: /401 Unauthorized|403 Forbidden/,
    kind: 'unauthorised',
    text: 'The camera refuses the user name or password. Enter its credentials again.',
  },
  {
    pattern: /404 Not Found|404 Stream|400 Bad Request/,
    kind: 'stream',
    text: 'The camera has no stream at this address. Look its profiles up again, or correct the RTSP address.',
  },
  {
    pattern: /461 Unsupported/,
    kind: 'stream',
    text: 'The camera does not give its stream over TCP. Switch RTSP over TCP on in its settings.',
  },
  {
    pattern: /453 |503 Service/,
    kind: 'stream',
    text: 'The camera has too many viewers already. End other recorders or lower its number of streams.',
  },
  {
    pattern: /Connection refused|ECONNREFUSED/,
    kind: 'unreachable',
    text: 'The camera is there, but refuses connections on its RTSP port. Look whether RTSP is switched on, and on which port.',
  },
  {
    pattern: /No route to host|Network is unreachable|EHOSTUNREACH|ENETUNREACH/,
    kind: 'unreachable',
    text: 'There is no way to the camera. Look at its power and cable, and whether its address has changed.',
  },
  {
    pattern: /Failed to resolve|Name or service not known|ENOTFOUND|EAI_AGAIN/,
    kind: 'unreachable',
    text: 'The name of the camera is not known on the network. Enter its address instead.',
  },
  {
    pattern: /timed out|ETIMEDOUT/,
    kind: 'unreachable',
    text: 'The camera does not answer. Look at its power and cable, and whether its address has changed.',
  },
  {
    pattern: /No space left|Cannot allocate memory/,
    kind: 'other',
    text: 'The box has no memory or disk left for this stream.',
  },
  {
    pattern:
      /unspecified size|dimensions not set|Could not find codec parameters|does not contain any stream/,
    kind: 'stream',
    text: 'The stream does not say what it is: no picture came that could be understood.',
  },
  {
    pattern: /Could not find tag for codec|codec not currently supported/,
    kind: 'stream',
    text: 'The camera sends a codec that cannot be recorded. Set it to H.264 or H.265.',
  },
  {
    pattern: /Stream map '0:v:0' matches no streams/,
    kind: 'stream',
    text: 'There is no picture in the stream.',
  },
  {
    pattern: /Connection reset|Broken pipe|End of file|Input\/output error/,
    kind: 'unreachable',
    text: 'The camera broke the connection off.',
  },
];

/** The first rule that fits the last lines, in the rules' order: a refusal says more than what broke because of it. */
export function problemOf(lines: readonly string[]): StreamProblem {
  const text = lines.join('\n');
  const rule = rules.find(({ pattern }) => pattern.test(text));
  if (rule) return { kind: rule.kind, text: rule.text };
  return { kind: 'other', text: 'The stream ended. It is connected again by itself.' };
}

/** Takes user and password out of addresses, and the given secrets wherever else they stand. */
export function withoutSecrets(line: string, secrets: readonly string[]): string {
  const bare = line.replaceAll(/(rtsps?:\/\/)[^\s/@]*@/gi, '$1');
  return secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '…')), bare);
}

/** User and password of an address, as they stand there and decoded. */
export function secretsOf(url: string): string[] {
  const found = /^rtsps?:\/\/([^\s/@]*)@/i.exec(url)?.[1];
  if (found === undefined) return [];
  const password = found.slice(found.indexOf(':') + 1);
  return found.includes(':') && password !== '' ? [...new Set([password, decoded(password)])] : [];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: it stands for itself.
    return text;
  }
}
