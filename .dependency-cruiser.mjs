/** The walls of the house. Each rule says why it stands; a rule that gets in the way is discussed, not worked around. */

const workspace = '^(services/shared/[^/]+|services/[^/]+|web|desktop|firmware-agent|scripts)/';
const service = '^services/(?!shared/)([^/]+)/';
const tests = '\\.test\\.ts$|/testing/|^e2e/';
const inputOutput =
  '^(node:)?(fs|fs/promises|net|tls|dgram|http|https|http2|dns|child_process|worker_threads|cluster|sqlite|timers/promises)$';

/** A forbidden dependency, an error. */
const wall = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

const layers = [
  wall(
    'domain-is-pure',
    'Rules of the domain are tested with a fake clock and no daemon; with I/O inside they would need both.',
    { path: '/domain/', pathNot: tests },
    { path: `/(http|store|adapters|transport)/|${inputOutput}` },
  ),
  wall(
    'domain-knows-no-driver',
    'A domain that knows a driver cannot outlive it.',
    { path: '/domain/', pathNot: tests },
    { path: 'node_modules/(better-sqlite3|mqtt|express|socket\\.io|nodemailer|busboy|sharp)/' },
  ),
  wall(
    'store-knows-no-http',
    'What is stored must not depend on how it is asked for: MQTT, DC-09 and REST write the same rows.',
    { path: '/store/', pathNot: tests },
    { path: '/http/' },
  ),
  wall(
    'adapters-know-no-http',
    'A device protocol and the REST API meet in the domain, or one of them cannot be replaced.',
    { path: '/adapters/', pathNot: tests },
    { path: '/http/' },
  ),
  wall(
    'main-is-the-end',
    'main.ts wires and starts; whoever imports it starts a second process inside the first.',
    { pathNot: tests },
    { path: '^(services/[^/]+|desktop|firmware-agent)/src/main\\.ts$' },
  ),
  wall(
    'config-is-passed-down',
    'Domain code that reads the configuration cannot be tried with another one.',
    { path: '/domain/', pathNot: tests },
    { path: '/src/config\\.ts$' },
  ),
];

const walls = [
  wall(
    'services-meet-on-the-wire',
    'One dies, the others go on: services share the contract, never code or a database.',
    { path: service },
    { path: service, pathNot: '^services/$1/' },
  ),
  wall(
    'shared-imports-no-service',
    'A library that knows one of its users belongs to that user.',
    { path: '^services/shared/' },
    { path: `${service}|^(web|desktop|firmware-agent|scripts)/` },
  ),
  wall(
    'contract-stands-alone',
    'Devices, browsers and the desk read the contract: it may drag nothing of the server along.',
    { path: '^services/shared/contract/', pathNot: tests },
    { path: '^services/shared/(?!contract/)|^(node:)?(fs|net|http|child_process)' },
  ),
  wall(
    'talk-knows-only-the-contract',
    'The engine of talk runs in browsers and in tests of load: it may drag nothing of the server along, and reaches the world through its ports.',
    { path: '^services/shared/talk/', pathNot: tests },
    { path: `^services/shared/(?!talk/|contract/)|${inputOutput}` },
  ),
  wall(
    'services-cannot-read-talk',
    'The server keeps ciphertext: no service may load the code that could open it.',
    { path: '^services/(?!shared/talk/)', pathNot: tests },
    { path: '^services/shared/talk/' },
  ),
  wall(
    'rules-are-a-pure-library',
    'No I/O and no clock in the engine, so that a whole day replays in a test.',
    { path: '^services/shared/rules/', pathNot: tests },
    { path: `^services/shared/(?!rules/|contract/)|${inputOutput}` },
  ),
  wall(
    'runtime-knows-only-the-contract',
    'The runtime is under every service; what it imports, all of them carry.',
    { path: '^services/shared/runtime/', pathNot: tests },
    { path: '^services/shared/(?!runtime/|contract/)' },
  ),
  wall(
    'clients-know-only-the-contract',
    'Console, desk and agent run elsewhere; server code in them would be shipped to browsers and controllers. Talk is client code (ADR 0012).',
    { path: '^(web|desktop|firmware-agent)/', pathNot: tests },
    { path: '^services/(?!shared/(contract|talk)/)|^scripts/' },
  ),
  wall(
    'test-kit-stays-in-tests',
    'It starts daemons and knows test keys; no product process may load it.',
    { path: '^(services|web|desktop|firmware-agent)/', pathNot: `${tests}|^services/shared/testkit/` },
    { path: '^services/shared/testkit/' },
  ),
  wall(
    'no-deep-imports',
    'A package is its index, and its base where it has one; what is not exported there may change without asking.',
    { path: workspace },
    { path: '^services/shared/([^/]+)/src/(?!(index|base|testing/index)\\.ts$)', pathNot: '^$1/' },
  ),
  wall(
    'nobody-imports-tasks',
    'Scripts are the last of the chain: they may use everything, nothing may need them.',
    { pathNot: '^(scripts|e2e)/' },
    { path: '^scripts/' },
  ),
];

const desk = [
  wall(
    'desk-shared-knows-no-electron',
    'Logic in *.shared.ts is tested without Electron, which no test machine can start.',
    { path: '^desktop/src/.*\\.shared\\.ts$' },
    { path: 'node_modules/electron/|^electron$|\\.(main|preload|renderer)\\.ts$' },
  ),
  wall(
    'desk-preload-is-small',
    'The preload runs beside the page: it may share types and names, never main-process code or node.',
    { path: '^desktop/src/.*\\.preload\\.ts$' },
    { path: `\\.(main|renderer)\\.ts$|${inputOutput}` },
  ),
  wall(
    'desk-renderer-is-a-page',
    'The renderer has no more rights than a web page; all else goes through checked IPC.',
    { path: '^desktop/src/.*\\.renderer\\.ts$' },
    { path: `\\.(main|preload)\\.ts$|node_modules/electron/|^electron$|${inputOutput}` },
  ),
];

const packages = [
  wall(
    'sql-stays-in-stores',
    'All SQL lives in store/, so that a schema change has one place to look.',
    { path: '^services/(core|panel|signaling|camera|sip-bridge)/', pathNot: `/store/|/migrations/|${tests}` },
    { path: 'node_modules/better-sqlite3/', dependencyTypesNot: ['type-only'] },
  ),
  wall(
    'mqtt-stays-in-adapters',
    'One adapter holds PUBACKs until the commit; a second client would acknowledge behind its back.',
    { path: '^services/(core|panel|signaling|camera|sip-bridge)/', pathNot: `/adapters/|${tests}` },
    { path: 'node_modules/mqtt/', dependencyTypesNot: ['type-only'] },
  ),
  wall(
    'no-unlisted-packages',
    'A package that a workspace does not list is there by luck of hoisting.',
    { path: workspace, pathNot: '\\.config\\.ts$' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  ),
  wall(
    'no-dev-packages-in-the-product',
    'Images are installed without devDependencies.',
    { path: '^services/(?!shared/testkit/).*/src/', pathNot: tests },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
  ),
];

const shape = [
  wall(
    'no-cycles',
    'Two files that need each other are one file, or miss a third. A page loaded on demand, or a type alone, is no such need.',
    {},
    { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import', 'type-only'] } },
  ),
  wall(
    'no-orphans',
    'A file nobody imports is dead, or its user does not know of it.',
    {
      orphan: true,
      pathNot: `\\.d\\.ts$|\\.config\\.(ts|mjs)$|^\\.dependency-cruiser\\.mjs$|/src/main\\.ts$|^scripts/src/[^/]+\\.ts$|^web/(public|src/main)|${tests}`,
    },
    {},
  ),
  wall(
    'resolvable',
    'An import that leads nowhere fails at the start, not in review.',
    {},
    { couldNotResolve: true },
  ),
];

export default {
  forbidden: [...layers, ...walls, ...desk, ...packages, ...shape],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.cache|\\.dev|\\.bench)/|\\.svg$|\\.css$|\\?' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'browser', 'default', 'types'],
      extensions: ['.ts', '.vue', '.mjs', '.js', '.json', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
};
