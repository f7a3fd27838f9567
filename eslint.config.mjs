/**
 * What a tool can check of the house style. Where a rule is off or loosened for some files, the reason stands beside it.
 */
import prettier from 'eslint-config-prettier/flat';
import vue from 'eslint-plugin-vue';
import tseslint from 'typescript-eslint';
import vueParser from 'vue-eslint-parser';

const tests = ['**/*.test.ts', '**/testing/**/*.ts', 'e2e/**/*.ts'];
const tasks = [
  'scripts/**/*.ts',
  'services/shared/testkit/**/*.ts',
  'e2e/**/*.ts',
  '*.config.{ts,mjs}',
  '**/*.config.ts',
];

const clockAndChance = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Take the time from the injected Clock: a timing rule must be testable with a fake one.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Take the time from the injected Clock: a timing rule must be testable with a fake one.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Take chance from the injected Random: a test must be able to repeat it.',
  },
];
const catches = [
  {
    selector: 'CatchClause > BlockStatement[body.length=0]',
    message: 'An empty catch hides faults. Handle the error, or turn the expected one into a value.',
  },
];
const heldBack = [
  {
    selector:
      'MemberExpression[object.name=/^(it|test|describe|suite|bench)$/][property.name=/^(only|skip|todo|skipIf|runIf|fails)$/]',
    message: 'Every test runs, every time.',
  },
];
/**
 * A function has at most so many lines of code of its own. Those of a function inside it count for that one alone: a table of
 * handlers, a store or a chapter of tests is not one long function, and each of its parts is held to the same measure.
 */
const ownLines = {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'integer' }],
    messages: { long: '{{lines}} lines of its own; at most {{max}}.' },
  },
  create(context) {
    const [max] = context.options;
    const code = new Set(context.sourceCode.ast.tokens.map((token) => token.loc.start.line));
    const linesOf = (from, to) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((line) => code.has(line))
        .length;
    const open = [];
    const enter = () => open.push({ inside: 0 });
    const leave = (node) => {
      const { inside } = open.pop();
      const { start, end } = node.loc;
      const lines = linesOf(start.line, end.line) - inside;
      if (lines > max) context.report({ node, messageId: 'long', data: { lines, max } });
      const parent = open.at(-1);
      if (parent && end.line > start.line) parent.inside += linesOf(start.line + 1, end.line);
    };
    const kinds = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
    return Object.fromEntries(
      kinds.flatMap((kind) => [
        [kind, enter],
        [`${kind}:exit`, leave],
      ]),
    );
  },
};
const sizes = {
  'max-lines': ['error', { max: 400 }],
  'siphera/own-lines': ['error', 70],
};

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/',
      '**/dist/',
      '**/*.generated.ts',
      '.dev/',
      '.bench/',
      '.cache/',
      'coverage/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.vue'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { siphera: { rules: { 'own-lines': ownLines } } },
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      ...sizes,
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-restricted-syntax': ['error', ...clockAndChance, ...catches],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only config.ts reads the environment; take the value from the config.',
        },
      ],
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
      // Numbers and booleans read as themselves in a message; objects do not, and stay forbidden.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `() => stop()` in one line says what it does; the rule would make three lines of it.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A leading underscore marks what a signature or a rest pattern forces on us.
      '@typescript-eslint/no-unused-vars': [
        'error',
        {
          argsIgnorePattern: '^_',
          varsIgnorePattern: '^_',
          caughtErrorsIgnorePattern: '^_',
          ignoreRestSiblings: true,
        },
      ],
      // An async function without await is how a handler that never waits fits a type that may.
      '@typescript-eslint/require-await': 'off',
      // Data crosses the wire: what the compiler believes about a value from outside still gets checked.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A route without an answer has `void` at the end of a conditional type.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Generic helpers such as `parse<T>()` give the caller's type a name even when it appears once.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    files: ['services/shared/runtime/src/{clock,random}.ts', '**/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', ...catches] },
  },
  // What a .vue file exports is known to vue-tsc alone.
  { files: ['web/src/main.ts'], rules: { '@typescript-eslint/no-unsafe-argument': 'off' } },
  // Composables and stores hand their functions out one by one; none of them knows a `this`.
  { files: ['web/**/*.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  { files: ['**/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: tasks,
    rules: {
      // Tasks and the test kit talk to a person and to the machine: that is what they are for.
      'no-console': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', ...catches],
    },
  },
  {
    files: tests,
    rules: {
      'no-restricted-properties': 'off',
      // Tests drive real daemons, whose clock is the machine's; pure rules get a fake clock anyway.
      'no-restricted-syntax': ['error', ...catches, ...heldBack],
      // A test that reads a field which is not there fails by itself, and that is the point.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Tools ask for a default export in their own configuration files.
    files: ['**/*.config.{ts,mjs}', '**/*.d.ts', '**/*.vue'],
    rules: { 'no-restricted-exports': 'off' },
  },
  ...vue.configs['flat/recommended'].map((config) => ({ ...config, files: config.files ?? ['**/*.vue'] })),
  {
    files: ['**/*.vue'],
    languageOptions: {
      parser: vueParser,
      parserOptions: { parser: tseslint.parser, projectService: true, extraFileExtensions: ['.vue'] },
    },
    rules: {
      // Composables and stores hand their functions out one by one; none of them knows a `this`.
      '@typescript-eslint/unbound-method': 'off',
      // An input hands out text, whatever the type of its model says.
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/component-name-in-template-casing': ['error', 'PascalCase'],
      // Names come from their folder (features/alarm/SoundBar), and none of ours is an HTML element.
      'vue/multi-word-component-names': 'off',
      // The type already says that an optional prop may be undefined.
      'vue/require-default-prop': 'off',
      'vue/define-macros-order': 'error',
      'vue/no-v-html': 'error',
      'vue/no-undef-components': ['error', { ignorePatterns: ['RouterLink', 'RouterView', 'i18n-t'] }],
    },
  },
  prettier,
);
